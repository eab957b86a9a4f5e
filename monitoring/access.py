"""Who sees which places and how much of a person: applied in SQL, where data are read, never where they are drawn.

Every query takes a `Scope`. A `Filter` collects conditions with their values; `Scope.limit` adds the scope's own to it.
How a value is masked is one definition for pages and exports: `monitoring.exporting.masking`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.exporting import masking


class Filter:
    """Conditions joined by AND, with the values that they name; the values never become part of the text."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.params: dict[str, Any] = {}

    def add(self, condition: str, **params: Any) -> Filter:
        self.conditions.append(f"({condition})")
        self.params.update(params)
        return self

    @property
    def where(self) -> str:
        return f"where {' and '.join(self.conditions)}" if self.conditions else ""

    @property
    def also(self) -> str:
        """The conditions to stand behind others: "" or " and …"."""
        return "".join(f" and {condition}" for condition in self.conditions)


@dataclass(frozen=True)
class Scope:
    """The places a viewer may see (`allowed`), narrowed to what was picked. None is no limit.

    Picked places: a None inside is "place unknown". A village is named with its township, since villages of one name stand
    in several townships. Allowed places: (township, village), where a village of None is the whole township; a place that
    is not known is nobody's but the whole county's.
    """

    townships: tuple[str | None, ...] | None = None
    villages: tuple[tuple[str | None, str | None], ...] | None = None
    masked: bool = True
    allowed: tuple[tuple[str, str | None], ...] | None = None

    @property
    def whole_county(self) -> bool:
        return self.townships is None and self.villages is None and self.allowed is None

    @property
    def unpicked(self) -> Scope:
        """All that the viewer may see."""
        return Scope(masked=self.masked, allowed=self.allowed)

    def limit(self, where: Filter | None = None, table: str = "") -> Filter:
        """Adds this scope to a filter over a table with columns township and village (named `table.` if given)."""
        where = where or Filter()
        dot = f"{table}." if table else ""
        if self.townships is not None:
            self._either(where, [(f"{dot}township", (name,)) for name in self.townships], "township")
        if self.villages is not None:
            self._either(where, [(f"{dot}township {dot}village", pair) for pair in self.villages], "village")
        if self.allowed is not None:
            own = [
                (f"{dot}township", (town,)) if village is None else (f"{dot}township {dot}village", (town, village))
                for town, village in self.allowed
            ]
            self._either(where, own, "allowed")
        return where

    def limit_townships(self, where: Filter | None = None) -> Filter:
        """For tables that know townships only: those of the picked villages are let through whole."""
        where = where or Filter()
        named = self.townships
        if self.villages is not None:
            named = tuple(dict.fromkeys(township for township, _ in self.villages))
        own = None if self.allowed is None else tuple(dict.fromkeys((town, None) for town, _ in self.allowed))
        return Scope(named, allowed=own).limit(where)

    @staticmethod
    def _either(where: Filter, wanted: Sequence[tuple[str, tuple[str | None, ...]]], stem: str) -> None:
        alternatives: list[str] = []
        params: dict[str, str] = {}
        for number, (columns, values) in enumerate(wanted):
            parts: list[str] = []
            for column, value in zip(columns.split(), values, strict=True):
                name = f"{stem}_{number}_{len(parts)}"
                parts.append(f"{column} is null" if value is None else f"{column} = ${name}")
                params |= {} if value is None else {name: value}
            alternatives.append(" and ".join(parts))
        where.add(" or ".join(alternatives) or "false", **params)

    def name(self, column: str) -> str:
        """SQL for a person's name: the surname and two stars."""
        return masking.name(column) if self.masked else column

    def subject_name(self, column: str) -> str:
        """As `name` in the signal table, where institutions and feeds keep theirs."""
        return masking.subject_name(column) if self.masked else column

    def number(self, column: str) -> str:
        """SQL for an identity number or phone: the last four characters."""
        return masking.number(column) if self.masked else column

    def birth(self, column: str) -> str:
        """SQL for a birth date as text: its year only, since a full date is most of an identity number."""
        return f"strftime({column}, '%Y')" if self.masked else f"{column}::VARCHAR"

    def household(self, column: str) -> str:
        """SQL for a household's number: one made from an identity number shows a digest."""
        return masking.household(column) if self.masked else column

    def evidence(self, column: str = "evidence") -> str:
        return masking.evidence(column) if self.masked else column

    def sentence(self, column: str) -> str:
        """SQL for a signal's sentence: numbers in it, and the names that the row or its evidence names."""
        return masking.sentence(column) if self.masked else column

    def text(self, column: str) -> str:
        """SQL for a free text: long numbers in it."""
        return masking.runs(column) if self.masked else column

    def cells(self, raw: dict[str, str]) -> dict[str, str]:
        """A department's own row, heading -> text, each cell masked by what its heading says."""
        if not self.masked or not raw:
            return raw
        frame = pl.DataFrame({heading: [text] for heading, text in raw.items()}, schema=dict.fromkeys(raw, pl.String))
        shown: dict[str, str] = frame.select(masking.cell(heading).alias(heading) for heading in raw).to_dicts()[0]
        return shown
