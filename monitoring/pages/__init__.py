"""One module a page: what it shows, in which order. No SQL and no arithmetic: queries answer, charts draw, ui shows."""
