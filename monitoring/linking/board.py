"""What is open in the review and in which order: the run's waiting rows, the weights, and what has been decided since.

A row is settled where somebody said who it is, that it is nobody known, or ruled out every candidate; a pair where somebody
said anything of it. What is settled stays off the list at once, though only the next run takes it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.linking.deciding import DIFFERENT, HOUSEHOLD, NOBODY, PERSON, ROW, SAME, Decided, Standing
from monitoring.linking.weights import Weights
from monitoring.linking.words import COMPARED

CANDIDATES = 5
AT_ONCE = 200


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be meant. `parts` (compared, level, bits); without weights there is none and `probability` is None."""

    person_id: int
    probability: float | None = None
    weight: float | None = None
    band: str | None = None
    parts: tuple[tuple[str, int, float], ...] = ()


@dataclass(frozen=True)
class Estimate:
    """How good the band "as good as certain" is, two ways: as the model has it, and as people decided.

    `sure` rows are in it, `expected` of them right by the model, `found` is the share of all that the model thinks are there;
    of `decided` pairs of the band `confirmed` were found to be one person; `missed` are persons found outside of it."""

    sure: int
    expected: float | None
    found: float | None
    decided: int
    confirmed: int
    missed: int

    @property
    def precision(self) -> float | None:
        return self.confirmed / self.decided if self.decided else None

    @property
    def recall(self) -> float | None:
        there = self.confirmed + self.missed
        return self.confirmed / there if there else None


class Board:
    """Everything open, for one published run."""

    def __init__(self, waiting: Sequence[str], weights: Weights | None, decided: Sequence[Decided]) -> None:
        self.weights = weights
        held = [one for one in decided if one.back_at is None]
        self._decided = held
        self._settled = {d.one for d in held if d.kind == ROW and (d.verdict == SAME or d.other == NOBODY)}
        self._refused = {(d.one, d.other) for d in held if d.kind == ROW and d.verdict == DIFFERENT}
        self._pairs = {(d.kind, d.one, d.other) for d in held if d.kind != ROW}
        best = self._best()
        self.waiting = self._ordered([key for key in waiting if key not in self._settled], best)
        known = set(waiting)
        self.new = self._ordered(
            [key for key, band in best.items() if key not in self._settled | known and band[1] != "unlikely"], best
        )

    def _best(self) -> dict[str, tuple[float, str]]:
        """Of each row its best candidate that nobody ruled out: (probability, band)."""
        if self.weights is None:
            return {}
        rows = self.weights.rows
        if self._refused:
            out = pl.DataFrame(sorted(self._refused), schema=["key", "other"], orient="row")
            rows = rows.with_columns(other=pl.col("person_id").cast(pl.String)).join(
                out, on=["key", "other"], how="anti"
            )
        first = rows.sort("key", "rank").unique("key", keep="first", maintain_order=True)
        return {key: (p, band) for key, p, band in first.select("key", "probability", "band").rows()}

    @staticmethod
    def _ordered(keys: list[str], best: dict[str, tuple[float, str]]) -> tuple[str, ...]:
        return tuple(sorted(keys, key=lambda key: (-best.get(key, (0.0, ""))[0], key)))

    def candidates(self, key: str, listed: str | None) -> list[Candidate]:
        """Who may be meant by a row: those weighed in their order, then those whom the run listed and nobody weighed."""
        found: list[Candidate] = []
        if self.weights is not None:
            rows = self.weights.rows.filter(pl.col("key") == key).sort("rank")
            found = [_candidate(row) for row in rows.to_dicts()]
        also = [int(one) for one in (listed or "").split(",") if one]
        found += [Candidate(one) for one in also if one not in {c.person_id for c in found}]
        of_run = set(also)
        kept = [c for c in found if (key, str(c.person_id)) not in self._refused]
        return [c for c in kept if c.band != "unlikely" or c.person_id in of_run][:CANDIDATES]

    def persons(self) -> list[dict[str, Any]]:
        """Pairs of persons who may be one, the likeliest first."""
        return [] if self.weights is None else self._open(self.weights.persons, PERSON, "person_id", "other_id")

    def households(self) -> list[dict[str, Any]]:
        return [] if self.weights is None else self._open(self.weights.households, HOUSEHOLD, "household_id", "other")

    def _open(self, frame: pl.DataFrame, kind: str, one: str, other: str) -> list[dict[str, Any]]:
        rows = frame.to_dicts()
        for row in rows:
            row["one"], row["two"] = sorted((str(row[one]), str(row[other])))
        return [row for row in rows if (kind, row["one"], row["two"]) not in self._pairs]

    def sure(self, keys: Sequence[str]) -> list[tuple[str, Candidate]]:
        """Of these rows those with a candidate who is as good as certain."""
        if self.weights is None:
            return []
        rows = self.weights.rows.filter((pl.col("band") == "sure") & pl.col("key").is_in(list(keys))).to_dicts()
        pairs = [
            (row["key"], _candidate(row)) for row in rows if (row["key"], str(row["person_id"])) not in self._refused
        ]
        return sorted(pairs, key=lambda pair: (-(pair[1].weight or 0), pair[0]))[:AT_ONCE]

    def estimate(self) -> Estimate:
        judged = [(d.seen.get("band"), d.verdict) for d in self._decided if d.kind == ROW and d.other != NOBODY]
        confirmed = sum(band == "sure" and verdict == SAME for band, verdict in judged)
        decided = sum(band == "sure" for band, _ in judged)
        missed = sum(band != "sure" and verdict == SAME for band, verdict in judged)
        if self.weights is None:
            return Estimate(0, None, None, decided, confirmed, missed)
        best = self.weights.rows.filter(pl.col("rank") == 1)
        sure = best.filter(pl.col("band") == "sure")["probability"]
        there = float(best["probability"].sum())
        return Estimate(
            sure.len(), float(sure.sum()) / sure.len() if sure.len() else None, float(sure.sum()) / there if there else None,
            decided, confirmed, missed,
        )  # fmt: skip


def _candidate(row: dict[str, Any]) -> Candidate:
    return Candidate(int(row["person_id"]), row["probability"], row["weight"], row["band"], parts_of(row))


def parts_of(row: dict[str, Any]) -> tuple[tuple[str, int, float], ...]:
    """What each comparison says of a weighed pair; none of a comparison that the model does not have."""
    return tuple((word, row[f"{word}_level"], row[f"{word}_weight"]) for word in COMPARED if f"{word}_level" in row)


def taken_up(decision: Decided, told: Sequence[Standing]) -> bool:
    """Whether the published run was told of a decision."""
    return (decision.kind, decision.one, decision.other, decision.verdict) in told


_SEEN = ("name", "birth", "sex", "phone", "township", "village", "number", "members", "size")


def seen_of(one: dict[str, Any], other: dict[str, Any] | None, band: str | None = None) -> dict[str, Any]:
    """Both sides as the decision keeps them. The rows come masked."""
    sides = {"one": one, "other": other or {}}
    kept = {side: {name: row[name] for name in _SEEN if row.get(name) is not None} for side, row in sides.items()}
    return {**kept, "band": band}
