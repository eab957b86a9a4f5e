"""How the sample is drawn and read: `data/policy/sampling.toml`, or the county's own in its home, read strictly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from monitoring.strict_toml import Bilingual, Span, Table, version_in_force

SHIPPED = Path(__file__).parents[2] / "data" / "policy" / "sampling.toml"


@dataclass(frozen=True)
class Band:
    """A group of households: those of whose rules a share of less than `below` could not be judged (None: all others).
    `rate`: visits for one of its households, compared with the other groups."""

    title: Bilingual
    below: float | None
    rate: float


@dataclass(frozen=True)
class Sampling:
    """One dated version."""

    span: Span
    clause: str
    working_days: int
    pool_months: int
    least_visits: int
    reserves: int
    planned_share: float
    bands: tuple[Band, ...]

    @property
    def rates(self) -> list[float]:
        return [band.rate for band in self.bands]


def load_sampling(home: Path | None, as_of: date) -> Sampling:
    """The version in force. Raises PolicyError with every complaint, also where no version holds on that day."""
    return version_in_force(home, SHIPPED, as_of, lambda table, _sha256: _version(table))


def _version(table: Table) -> Sampling:
    bands = table.tables("band", label="band")
    found = Sampling(
        table.span(), table.text("clause"), _whole(table, "working_days", 1), _whole(table, "pool_months", 1),
        _whole(table, "least_visits", 1), _whole(table, "reserves", 0), float(_number(table, "planned_share", least=Decimal(0), most=Decimal(1))),
        tuple(_band(each, last=each is bands[-1]) for each in bands),
    )  # fmt: skip
    limits = [band.below for band in found.bands[:-1] if band.below is not None]
    if any(one >= other for one, other in pairwise(limits)):
        table.complain(f"各组的 below 没有从小到大：{_listed(limits)}", "below 逐组增大")
    table.close()
    return found


def _band(table: Table, last: bool) -> Band:
    title = table.bilingual("title") or Bilingual("", "")
    below = None
    if not last:
        below = float(_number(table, "below", least=Decimal(0), most=Decimal(1)))
    elif table.raw("below") is not None:
        table.complain("最后一组写了 below", "最后一组收下其余所有的户，不写 below")
    band = Band(title, below, float(_number(table, "rate", least=Decimal(0), most=Decimal(100))))
    table.close()
    return band


def _whole(table: Table, key: str, least: int) -> int:
    found = table.raw(key)
    if isinstance(found, int) and not isinstance(found, bool) and found >= least:
        return found
    table.complain(f"{key} = {found!r}", f"{key} = 不小于 {least} 的整数")
    return least


def _number(table: Table, key: str, least: Decimal, most: Decimal) -> Decimal:
    """A number above `least`, up to `most`."""
    found = table.raw(key)
    if isinstance(found, int | Decimal) and not isinstance(found, bool) and least < found <= most:
        return Decimal(found)
    table.complain(f"{key} = {found}", f"{key} = 大于 {least}、不大于 {most} 的数")
    return most


def _listed(values: Sequence[float]) -> str:
    return "、".join(f"{value:g}" for value in values)
