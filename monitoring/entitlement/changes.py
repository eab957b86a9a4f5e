"""The smallest change that would alter a status: searched for, over the facts that the scheme's condition turns on.

Every fact is moved to the nearest place where a comparison that it stands in changes, every yes to no, every text to
another that is asked for; each such row is judged again by the scheme's own condition. What flips it with the least
distance wins; where no single fact does, two together are tried. A figure's distance is its share of the line, that of a
yes or no its weight (`_inputs.toml`). Of a missing fact it is asked whether it decides, whatever it turns out to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import combinations
from typing import Any

from monitoring.entitlement.binding import Question
from monitoring.entitlement.logic import Row
from monitoring.entitlement.schemes import Input, Schemes
from monitoring.entitlement.words import joined, said
from monitoring.labels import UNIT_ZH
from monitoring.strict_toml import Bilingual
from monitoring.tables import Column

CENT, ONE = Decimal("0.01"), Decimal(1)
FAR = Decimal(10) ** 9  # beyond every line: a missing figure whose line rests on another missing one
MOST_MISSING = 3
OTHER = "其他"  # a text that no condition asks for


@dataclass(frozen=True)
class Step:
    """One fact moved: from what it is to `value`; `by` how far, of a figure."""

    column: str
    value: Any
    move: str
    by: Decimal | None
    distance: Decimal


@dataclass(frozen=True)
class Change:
    """Facts that, moved together, alter the answer."""

    steps: tuple[Step, ...]

    @property
    def distance(self) -> Decimal:
        return sum((step.distance for step in self.steps), Decimal(0))


@dataclass(frozen=True)
class Edge:
    """Where it begins or ceases to be due: the line, and whether it is due at the line itself."""

    line: Decimal
    included: bool


@dataclass(frozen=True)
class Wanted:
    """Facts that are missing, and whether they decide, whatever they are. Of a single figure that is due in one stretch
    only: from where to where (None: without end)."""

    columns: tuple[str, ...]
    decides: bool
    first: Edge | None = None
    last: Edge | None = None


class Search:
    """Looks for changes with the words and weights of one county's files."""

    def __init__(self, schemes: Schemes) -> None:
        self.inputs, self.fixed = schemes.inputs, schemes.fixed

    def given(self, subject: str, column: str) -> Input | None:
        """What the files say of a fact; a person's condition may rest on a fact of the household."""
        own = self.inputs.get((subject, column))
        return own or (self.inputs.get(("household", column)) if subject == "person" else None)

    def nearest(self, question: Question, subject: str, row: Row) -> Change | None:
        """The least change after which the answer is the opposite; None where one or two facts do not do it."""
        before = question.answer(row)
        if before is None:
            return None
        steps = list(self._steps(question, subject, row))
        for together in (1, 2):
            found = [
                Change(chosen)
                for chosen in combinations(steps, together)
                if len({step.column for step in chosen}) == together
                and question.answer({**row, **{step.column: step.value for step in chosen}}) is (not before)
            ]
            if found:
                return min(found, key=lambda change: (change.distance, [step.column for step in change.steps]))
        return None

    def wanted(self, question: Question, row: Row) -> Wanted:
        """Of the facts that the answer is unknown for want of, the fewest that decide."""
        lacking = [name for name in question.columns if row.get(name) is None]
        for together in range(1, MOST_MISSING + 1):
            for chosen in combinations(lacking, together):
                answers = set(_answers(question, row, chosen))
                if answers and None not in answers:
                    return self._with_stretch(question, row, chosen)
        return Wanted(tuple(lacking), False)

    def _with_stretch(self, question: Question, row: Row, chosen: tuple[str, ...]) -> Wanted:
        """Walks over the lines of a single figure, looking just below, at and just above each."""
        if len(chosen) != 1 or not (lines := sorted(set(_lines(question, row, chosen[0])))):
            return Wanted(chosen, True)
        unit = _unit(question.columns[chosen[0]])
        places = [(line, place) for line in lines for place in (-1, 0, 1)]
        due = [question.answer({**row, chosen[0]: line + place * unit}) is True for line, place in places]
        begins = [0] if due[0] else []
        begins += [n for n in range(1, len(due)) if due[n] and not due[n - 1]]
        ends = [n for n in range(1, len(due)) if due[n - 1] and not due[n]]
        if len(begins) != 1 or len(ends) > 1:
            return Wanted(chosen, True)
        first = Edge(places[begins[0]][0], places[begins[0]][1] == 0) if begins[0] else None
        last = Edge(places[ends[0]][0], places[ends[0]][1] == 1) if ends else None
        return Wanted(chosen, True, first, last)

    def _steps(self, question: Question, subject: str, row: Row) -> Iterator[Step]:
        """Every single change that the files allow, of the facts that are known."""
        for name, column in question.columns.items():
            value, given = row.get(name), self.given(subject, name)
            if value is None or (given is None and name in self.fixed):
                continue
            for step in _moves(question, row, name, column, Decimal(1 if given is None else given.weight)):
                if given is None or step.move in given.words:
                    yield step


def _moves(question: Question, row: Row, name: str, column: Column, weight: Decimal) -> Iterator[Step]:
    value = row[name]
    if isinstance(value, bool):
        yield Step(name, not value, "no" if value else "yes", None, weight)
    elif isinstance(value, str):
        for other in (*question.texts.get(name, ()), OTHER):
            if other != value:
                yield Step(name, other, "turns", None, weight)
    elif isinstance(value, int | Decimal):
        yield from _figures(question, row, name, _unit(column), weight)


def _figures(question: Question, row: Row, name: str, unit: Decimal, weight: Decimal) -> Iterator[Step]:
    """For each comparison that the figure stands in, the nearest value on either side at which it turns out otherwise."""
    value = Decimal(row[name])
    for atom in question.atoms:
        line = _line(atom.gap, row, name) if name in atom.columns else None
        if line is None:
            continue
        below = ((line - value) / unit).to_integral_value(ROUND_FLOOR)
        before = atom.holds(row)
        near = sorted((below + k for k in (-1, 0, 1, 2)), key=abs)
        for by in (n * unit for n in near if n):
            if value + by < min(value, Decimal(0)) or atom.holds({**row, name: value + by}) is before:
                continue
            share = abs(by) / max(abs(line), abs(value), ONE)
            yield Step(name, value + by, "more" if by > 0 else "less", abs(by), share * weight)
            break


def _line(gap: Any, row: Row, name: str) -> Decimal | None:
    """Where left equals right, as the one figure moves; None where others are missing or it makes no difference."""
    at_zero, at_one = gap({**row, name: Decimal(0)}), gap({**row, name: ONE})
    if at_zero is None or at_one is None or at_one == at_zero:
        return None
    return Decimal(-at_zero / (at_one - at_zero))


def _lines(question: Question, row: Row, name: str) -> list[Decimal]:
    return [line for a in question.atoms if name in a.columns and (line := _line(a.gap, row, name)) is not None]


def _unit(column: Column) -> Decimal:
    return CENT if column.type.startswith("DECIMAL") else ONE


def _answers(question: Question, row: Row, lacking: tuple[str, ...]) -> Iterator[bool | None]:
    """The answers for every kind of value of the missing facts."""
    if not lacking:
        yield question.answer(row)
        return
    for value in _values(question, row, lacking[0]):
        yield from _answers(question, {**row, lacking[0]: value}, lacking[1:])


def _values(question: Question, row: Row, name: str) -> list[Any]:
    column = question.columns[name]
    if column.type == "BOOLEAN":
        return [True, False]
    if column.type == "VARCHAR":
        return [*question.texts.get(name, ()), OTHER]
    if column.type == "DATE":
        return []
    unit = _unit(column)
    near = [value for line in _lines(question, row, name) for value in (line - unit, line, line + unit)]
    return near or [Decimal(0), FAR]


# --- in words


def say_change(search: Search, question: Question, subject: str, row: Row, change: Change) -> Bilingual:
    """ "月人均收入再低 31.01 元", or two such joined by 且."""
    return joined(
        [
            _say_step(search.given(subject, step.column), question.columns[step.column], row, step)
            for step in change.steps
        ],
        "，且",
        " and ",
    )


def _say_step(given: Input | None, column: Column, row: Row, step: Step) -> Bilingual:
    size = row.get("size")
    year = step.by * 12 * size if step.by is not None and size is not None else None
    values: Mapping[str, Any] = {"by": step.by, "to": step.value, "year": year}
    if given is not None:
        return said(given.words[step.move], **values)
    generic = {
        "less": Bilingual(f"{column.zh}再少 {{by}}", f"{column.en} were {{by}} less"),
        "more": Bilingual(f"{column.zh}再多 {{by}}", f"{column.en} were {{by}} more"),
        "yes": Bilingual(f"“{column.zh}”变为是", f"“{column.en}” became true"),
        "no": Bilingual(f"“{column.zh}”变为否", f"“{column.en}” became false"),
        "turns": Bilingual(f"“{column.zh}”变为{{to}}", f"“{column.en}” became {{to}}"),
    }
    return said(generic[step.move], **values)


def say_missing(search: Search, question: Question, subject: str, columns: tuple[str, ...]) -> tuple[Bilingual, ...]:
    """What to get for each missing fact, each thing once."""
    found = []
    for name in columns:
        given, column = search.given(subject, name), question.columns[name]
        known = given.words.get("known") if given is not None else None
        found.append(known or Bilingual(column.zh, column.en))
    return tuple(dict.fromkeys(found))


def say_wanted(search: Search, question: Question, subject: str, wanted: Wanted) -> Bilingual:
    """What decides once it is known, and between which values it is due."""
    things = joined(say_missing(search, question, subject, wanted.columns), "、", ", ")
    if not wanted.decides:
        return said(
            Bilingual(
                "缺{things}，只补齐其中一部分还不能判断",
                "{things} are missing; some of them alone would decide nothing",
            ),
            things=things,
        )
    stretch = _say_stretch(wanted, question)
    if stretch is None:
        return said(Bilingual("补齐{things}后即可判断", "With {things} it can be judged"), things=things)
    return said(
        Bilingual(
            "补齐{things}后即可判断：{stretch}即符合", "With {things} it can be judged: it is due where {stretch}"
        ),
        things=things,
        stretch=stretch,
    )


def _say_stretch(wanted: Wanted, question: Question) -> Bilingual | None:
    column = question.columns[wanted.columns[0]]
    edges = []
    if wanted.first is not None:
        sign = ("不低于", "at least") if wanted.first.included else ("高于", "above")
        edges.append((sign, wanted.first.line))
    if wanted.last is not None:
        sign = ("不超过", "at most") if wanted.last.included else ("低于", "below")
        edges.append((sign, wanted.last.line))
    if not edges:
        return None
    unit = Bilingual(UNIT_ZH.get(column.unit, "").removesuffix("/月").removesuffix("/年"), _unit_en(column))
    told = [
        said(Bilingual(f"{zh} {{line}} {{unit}}", f"{en} {{line}} {{unit}}"), line=line, unit=unit)
        for (zh, en), line in edges
    ]
    return said(Bilingual(f"{column.zh}{{told}}", f"{column.en} is {{told}}"), told=joined(told, "且", " and "))


def _unit_en(column: Column) -> str:
    return column.unit.removesuffix(" a month").removesuffix(" a year")
