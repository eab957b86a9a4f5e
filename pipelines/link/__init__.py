"""Link: rows of all feeds -> persons and households.

Reads the deliveries' conformed rows and what people decided; writes `std_<feed>`, `link_decision`, `link`, `link_review`,
`household`, `membership`, `resident`.
It never changes a delivery. Doubtful rows wait in `link_review` for a person.
"""

from __future__ import annotations

from pipelines.link.cascade import link_rows
from pipelines.link.context import ASSISTANCE_FEEDS, Delivered, Linking
from pipelines.link.decided import keep_decisions, rename
from pipelines.link.households import settle_households, settle_persons
from pipelines.link.standing import keep_earlier_certificates, load_standing, settle_events, std_columns

__all__ = ["ASSISTANCE_FEEDS", "Delivered", "Linking", "link", "std_columns"]


def link(run: Linking) -> None:
    """Does the whole step on the run's connection."""
    load_standing(run)
    keep_decisions(run)
    link_rows(run)
    settle_events(run)
    keep_earlier_certificates(run)
    rename(run, "earlier_certificate")
    settle_households(run)
    settle_persons(run)
