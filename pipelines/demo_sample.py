"""What the sample county's people find at the doors of sampled households, for `pipelines.demo_work`.

Whether a made-up household is in need that nothing flagged stands nowhere: it is drawn by digest, more often where fewer rules
could judge (NEEDY). A few are met by nobody at first, refuse, or are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from monitoring.misses.results import DRAWN
from monitoring.store.schema import audit_draw, audit_sample, audit_visit

NEEDY = (0.012, 0.02, 0.05)  # by group, from where nearly all rules could judge to where many could not
NOBODY, STILL_NOBODY, REFUSES, GONE = 0.08, 0.35, 0.012, 0.012
DAYS = 11  # working days within which all are visited


@dataclass(frozen=True)
class Found:
    """`again`: working days until another visit; 0 for none."""

    result: str
    note: str
    again: int = 0


def drawn(con: Connection, known: Collection[int]) -> list[dict[str, Any]]:
    """Sampled households that nobody has taken up yet."""
    rows = con.execute(_asked().order_by(audit_sample.c.id)).mappings()
    return [dict(row) for row in rows if row["id"] not in known and not row["visits"]]


def one(con: Connection, sample_id: int) -> dict[str, Any]:
    return dict(con.execute(_asked().where(audit_sample.c.id == sample_id)).mappings().one())


def first(luck: Callable[[str], float]) -> int:
    """Working days until the first visit."""
    return 1 + int(luck("wait") * DAYS)


def found(row: Mapping[str, Any], luck: Callable[[str], float], visits: int) -> Found:
    if luck("met") < (NOBODY * STILL_NOBODY if visits else NOBODY):
        return Found("unreached", "家中无人，已留联系电话。", 0 if visits else 3)
    chance = luck("found")
    if chance < REFUSES:
        return Found("refused", "本人说不需要走访。")
    if chance < REFUSES + GONE:
        return Found("gone", "全家已迁往县外，村里已核对。")
    if luck("true") < NEEDY[min(row["band"], len(NEEDY) - 1)]:
        return Found("needy", "家中主要劳动力停工数月，靠借钱度日，没有申请过救助。")
    return Found("fine", "见到本人，生活稳定，没有困难。")


def _asked() -> Select[Any]:
    visits = (
        select(func.count())
        .where(audit_visit.c.sample_id == audit_sample.c.id)
        .correlate(audit_sample)
        .scalar_subquery()
    )
    return (
        select(audit_sample, audit_draw.c.period, visits.label("visits"))
        .join_from(audit_sample, audit_draw, audit_draw.c.id == audit_sample.c.draw_id)
        .where(audit_sample.c.state == DRAWN)
    )
