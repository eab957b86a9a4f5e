"""What is answered: one household's schemes, each with one status, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from monitoring.strict_toml import Bilingual

RECEIVES, MISSING, EXCLUDED, UNKNOWN = "receives", "missing", "excluded", "unknown"
STATUSES = (MISSING, RECEIVES, UNKNOWN, EXCLUDED)  # as a page lists them


@dataclass(frozen=True)
class Document:
    """One paper to bring, and where that is written."""

    what: Bilingual
    source: str


@dataclass(frozen=True)
class Entitlement:
    """One scheme for the household, or for one or several of its persons.

    `person` are masked names; None where the whole household is meant. `monthly_due` is None where nothing is due by the
    month, or where the pack holds no amount (`note` says so). `choice` names the scheme that cannot be had at the same time
    and which is better; `yields`: that one is, so that this one is not counted as missing or short, nor shown as one more
    thing that is due.
    `gives_up`: what is received now and would end with the better choice, yuan a month.
    """

    scheme: str
    title: Bilingual
    pays: str
    person: str | None
    person_ids: tuple[int, ...]
    status: str
    monthly_now: Decimal | None
    monthly_due: Decimal | None
    why: Bilingual
    clause: str
    note: Bilingual | None = None
    missing_inputs: tuple[Bilingual, ...] = ()
    documents: tuple[Document, ...] = ()
    excludes: tuple[Bilingual, ...] = ()
    smallest_change: Bilingual | None = None
    choice: Bilingual | None = None
    yields: bool = False
    gives_up: Decimal = Decimal(0)

    @property
    def offered(self) -> bool:
        """Entitled and missing, and not passed over for a better one."""
        return self.status == MISSING and not self.yields

    @property
    def short(self) -> Decimal:
        """Yuan a month by which what is received lies below what is due."""
        if self.status != RECEIVES or self.yields or self.monthly_now is None or self.monthly_due is None:
            return Decimal(0)
        return max(self.monthly_due - self.monthly_now, Decimal(0))


@dataclass(frozen=True)
class Totals:
    """Yuan a month: received now, entitled and missing (less what a better choice gives up), received too little; and how
    many missing ones pay by the month an amount that the pack does not hold."""

    received: Decimal
    missing: Decimal
    short: Decimal
    unpriced: int


def totals(found: Iterable[Entitlement]) -> Totals:
    """What the rows come to; nothing is counted twice: of two that exclude each other, the better."""
    rows = list(found)
    offered = [row for row in rows if row.offered and row.pays == "month"]
    return Totals(
        sum((row.monthly_now or Decimal(0) for row in rows if row.status == RECEIVES), Decimal(0)),
        max(sum(((row.monthly_due or Decimal(0)) - row.gives_up for row in offered), Decimal(0)), Decimal(0)),
        sum((row.short for row in rows), Decimal(0)),
        sum(1 for row in offered if row.monthly_due is None),
    )
