"""The one shape of a refusal that tells a person why: nothing was changed, and the words can be said in another language."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """What was asked for cannot be, and nothing was changed. `words` (Chinese) say why: `text` with `values` put in."""

    def __init__(self, text: str, **values: Any) -> None:
        self.text, self.values = text, values
        self.words = text.format(**values)
        super().__init__(self.words)
