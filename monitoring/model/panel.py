"""A panel as the candidates need it: which rows, which columns of which kind, and one matrix of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

MOST_CATEGORIES = 60  # rarer ones are one together
ENOUGH_IN_PERIOD = 30  # values of a period, from which its own middle and spread are known
MANY_VALUES = 20  # different values of an amount; grades and counts have no place among others of their period
LARGEST = 1e30  # size of a number; beyond it single precision ends
SPLITS = ("train", "valid", "test", "drop")
YES, NO = ("1", "1.0", "true", "yes", "y", "是", "有"), ("0", "0.0", "false", "no", "n", "否", "无")


class PanelError(ValueError):
    """The panel cannot be used as asked; the text names the column, what is wrong and what would be right."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a panel are: the three that every panel has, and the features."""

    id: str
    period: str
    label: str
    features: tuple[str, ...]


def columns_of(
    frame: pl.DataFrame, id: str, period: str, label: str, features: Sequence[str] | None, not_features: Sequence[str]
) -> Columns:
    """Checks that the named columns are there; without `features` all others are. Raises PanelError with all complaints."""
    named = {"id": id, "period": period, "label": label}
    wrong = [f"没有列 {name}（{what}）" for what, name in named.items() if name not in frame.columns]
    if len(set(named.values())) < len(named):
        wrong.append(f"id、period、label 要是三个不同的列；收到的是 {'、'.join(named.values())}")
    wrong += [f"没有特征列 {name}" for name in features or () if name not in frame.columns]
    wrong += [
        f"{name} 不能既是特征又是 {what}"
        for what, name in named.items()
        if name in (features or ()) and what != "period"
    ]
    if wrong:
        raise PanelError(f"{'；'.join(wrong)}。表里有：{'、'.join(frame.columns)}")
    chosen = (
        features if features is not None else [c for c in frame.columns if c not in (id, period, label, *not_features)]
    )
    if not chosen:
        raise PanelError("没有特征列：除编号、期间、标签以外，至少要有一列")
    unusable = [
        name
        for name in chosen
        if isinstance(frame.schema[name], pl.List | pl.Struct | pl.Array | pl.Binary | pl.Object)
    ]
    if unusable:
        raise PanelError(f"特征列 {'、'.join(unusable)} 既不是数字、日期、是否，也不是文字")
    return Columns(id, period, label, tuple(chosen))


def labels(frame: pl.DataFrame, column: str) -> pl.Series:
    """The label as Int8 with nulls kept (NaN and empty text too are missing). Raises PanelError where it is anything but 0 and
    1, or yes and no in words."""
    values = frame[column]
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if _is_category(values.dtype):
        words = values.cast(pl.String).str.strip_chars().str.to_lowercase()
        table = dict.fromkeys(YES, 1) | dict.fromkeys(NO, 0)
        known = words.replace_strict(table, default=None, return_dtype=pl.Int8)
        wrong = values.filter(known.is_null() & (words != "").fill_null(False))
    elif values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null):
        numbers = values.cast(pl.Float64)
        known, wrong = (
            numbers.cast(pl.Int8, strict=False),
            values.filter(numbers.is_in([0.0, 1.0]).not_().fill_null(False)),
        )
    else:
        known, wrong = values, values.drop_nulls()
    if len(wrong):
        seen = "、".join(f"{v}" for v in wrong.unique().sort().head(5).to_list())
        raise PanelError(f"标签列 {column} 只能是 0、1（或是、否），缺失留空；这里还有：{seen}")
    return known.rename(column)


@dataclass(frozen=True)
class Relative:
    """One amount as its place among others of its period: less the period's median, over the distance of its quartiles.

    Incomes rise from year to year, and so does the line below which somebody is poor; an amount that is low for its year says
    more than one that is low for all. Taken from the same period alone, so that nothing is known early. `periods`: median and
    distance of each training period; a period that training never saw brings its own, or, where it has too few rows, `newest`.
    """

    feature: str
    period: str
    periods: dict[str, tuple[float, float]]
    newest: tuple[float, float]

    @classmethod
    def learn(cls, frame: pl.DataFrame, period: str, feature: str, values: Numbers) -> Relative | None:
        """None where there are not two periods to tell apart, or the feature is no amount."""
        told = _by_period(frame[period], values)
        if len(told) < 2 or len(np.unique(values[~np.isnan(values)])) < MANY_VALUES:
            return None
        return cls(feature, period, told, list(told.values())[-1])

    def of(self, frame: pl.DataFrame, values: Numbers) -> Numbers:
        """The places of the rows' values, NaN where the value is. Raises PanelError where the frame has no periods."""
        if self.period not in frame.columns:
            raise PanelError(f"缺期间列：{self.period}（{self.feature} 按同期比较）")
        names = frame[self.period].cast(pl.String).fill_null("")
        known = _by_period(frame[self.period], values) | self.periods
        table = {name: known.get(name, self.newest) for name in names.unique().to_list()}
        middle = names.replace_strict({name: told[0] for name, told in table.items()}, return_dtype=pl.Float64)
        spread = names.replace_strict({name: told[1] for name, told in table.items()}, return_dtype=pl.Float64)
        told: Numbers = ((values - middle.to_numpy()) / spread.to_numpy()).astype(np.float32)
        return told


def _by_period(periods: pl.Series, values: Numbers) -> dict[str, tuple[float, float]]:
    """Median and distance of the quartiles of each period that has enough values to tell, in the order of the periods."""
    value = pl.col("value")
    spread = value.quantile(0.75) - value.quantile(0.25)
    told = (
        pl.DataFrame({"period": periods, "value": values.astype(np.float64)})
        .filter(value.is_not_nan(), pl.col("period").is_not_null())
        .group_by("period")
        .agg(middle=value.median(), spread=spread, rows=pl.len())
        .filter(pl.col("rows") >= ENOUGH_IN_PERIOD, pl.col("spread") > 0)
        .sort("period")
    )
    names = told["period"].cast(pl.String).to_list()
    return dict(zip(names, zip(told["middle"].to_list(), told["spread"].to_list(), strict=True), strict=True))


@dataclass(frozen=True)
class Encoder:
    """How columns become numbers, as learnt from training rows: categories by code, dates by day, the rest as it is.

    A missing value stays NaN in every column; a category that training never saw is missing. `codes` are the categories of
    each categorical column, most frequent first, `MOST_CATEGORIES` at most. With `relative` one column more stands last: that
    feature's place among others of its period.
    """

    features: tuple[str, ...]
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    relative: Relative | None = None

    @classmethod
    def learn(cls, frame: pl.DataFrame, features: Sequence[str]) -> Encoder:
        codes: dict[str, tuple[str, ...]] = {}
        kept: list[str] = []
        for name in features:
            values = frame[name]
            if values.n_unique() - (values.null_count() > 0) < 1 or (values.n_unique() < 2):
                continue  # says nothing
            if not _is_category(values.dtype):
                kept.append(name)
                continue
            counts = (
                values.drop_nulls()
                .cast(pl.String)
                .value_counts(sort=True, name="n")
                .sort("n", name, descending=[True, False])
            )
            if len(counts) > max(MOST_CATEGORIES, len(values) // 2):
                continue  # names of single units, not a category
            codes[name] = tuple(counts[name].head(MOST_CATEGORIES).to_list())
            kept.append(name)
        return cls(tuple(kept), codes)

    @property
    def owners(self) -> tuple[int, ...]:
        """For each column of the matrix the place of the feature that it is made of."""
        own = tuple(range(len(self.features)))
        return own if self.relative is None else (*own, self.features.index(self.relative.feature))

    @property
    def categorical(self) -> list[bool]:
        """For each column of the matrix."""
        return [self.features[owner] in self.codes for owner in self.owners]

    def matrix(self, frame: pl.DataFrame) -> Numbers:
        """Rows × columns (the features, then the relative one), float32. Raises PanelError where a feature is not in the frame."""
        missing = [name for name in self.features if name not in frame.columns]
        if missing:
            raise PanelError(f"缺特征列：{'、'.join(missing)}")
        matrix = np.empty((len(frame), len(self.owners)), dtype=np.float32)
        for number, name in enumerate(self.features):
            matrix[:, number] = self._numbers(frame[name], name).to_numpy()
        if self.relative is not None:
            matrix[:, -1] = self.relative.of(frame, matrix[:, self.owners[-1]])
        return matrix

    def _numbers(self, values: pl.Series, name: str) -> pl.Series:
        if name in self.codes:
            known = {text: float(code) for code, text in enumerate(self.codes[name])}
            rare = float(len(known)) if len(known) == MOST_CATEGORIES else None
            coded = values.cast(pl.String).replace_strict(known, default=rare, return_dtype=pl.Float32)
            return coded.set(values.is_null(), None).fill_null(float("nan"))
        if values.dtype.is_temporal():
            values = (
                values.cast(pl.Date).to_physical() if values.dtype in (pl.Date, pl.Datetime) else values.to_physical()
            )
        numbers = values.cast(pl.Float64, strict=False)
        finite = numbers.set(numbers.is_infinite().fill_null(False), None)
        return finite.clip(-LARGEST, LARGEST).cast(pl.Float32).fill_null(float("nan"))

    def show(self, name: str, value: float) -> str | float | None:
        """A cell of the matrix as it stood in the frame."""
        if np.isnan(value):
            return None
        if name not in self.codes:
            return float(value)
        return self.codes[name][int(value)] if int(value) < len(self.codes[name]) else "其他"


def _is_category(dtype: Any) -> bool:
    return dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)


def groups_of(frame: pl.DataFrame, id: str) -> npt.NDArray[np.int64]:
    """A number for each unit, from its id alone: rows of one unit have one number, whatever their order."""
    ids: npt.NDArray[np.int64] = frame[id].cast(pl.String).fill_null("").rank("dense").cast(pl.Int64).to_numpy()
    return ids


def folds_of(frame: pl.DataFrame, id: str, count: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each row, the same for all rows of a unit, from a digest of its id: no shuffling, no order."""
    folds: npt.NDArray[np.int64] = (
        (frame[id].cast(pl.String).fill_null("").hash(seed=seed) % count).cast(pl.Int64).to_numpy()
    )
    return folds
