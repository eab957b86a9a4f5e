"""What the headings of a sheet mean to one feed in one layout: which columns they are, and whether they are all there.

`targets` prepares the feeds and their layouts once, `match_of` tries a row of headings against one of them; `missing_in`
and `strange_in` say what keeps it from being that layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitoring.feeds import Column, Feed, Layout, normalise_heading
from pipelines.reading.two_rows import Cells

WHOSE = frozenset({"household_number"})  # an own column of several feeds, which files of all others may have as well


@dataclass(frozen=True)
class Target:
    """A feed in one layout, with the headings that lead to its columns."""

    feed: Feed
    layout: Layout
    columns: Mapping[str, Column]
    lookup: Mapping[str, tuple[str, int, bool]]  # heading -> standard name, order among its headings, inverse question
    own: frozenset[str]


@dataclass(frozen=True)
class Match:
    """A heading that was understood. `mapping`: standard name -> columns of the sheet, the first filled one counts."""

    target: Target
    rows: tuple[int, ...]  # 1-based
    mapping: Mapping[str, tuple[int, ...]]
    inverse: frozenset[int]  # columns that ask the opposite question
    headings: tuple[str, ...]  # of every column, as the sheet writes it
    given: Mapping[str, str]  # values from the layout's constants and the file's name
    signs: int = 0  # headings of no column that speak for the layout

    def rank(self) -> tuple[int, bool, float]:
        """The most columns win; then who has an own one that says more than of which household, then the larger share of them."""
        from_name = {n for values in self.target.layout.from_name.values() for n in values}
        count = len(self.mapping) + len((from_name & set(self.given)) - set(self.mapping)) + self.signs
        own = frozenset() if self.target.layout.refused else self.target.own & set(self.mapping)
        return count, bool(own - WHOSE), len(own) / max(1, len(self.target.own))


Nearness = tuple[int, int, str]  # mapped columns, less missing ones, and the words that say what lacks


@dataclass(frozen=True)
class Alone:
    """What one row of headings means by itself: its match with each target (None: it is not that), the nearest of the others."""

    matches: tuple[Match | None, ...]
    nearest: Nearness


@dataclass(frozen=True)
class Known:
    """All feeds in all their layouts, a feed's own shape before its layouts, and every heading that leads anywhere. `tried`:
    what rows of headings meant to each (see `heading.alone_in`); most files come with the headings of the month before."""

    targets: tuple[Target, ...]
    vocabulary: frozenset[str]
    tried: dict[tuple[int, tuple[str, ...], str], Alone] = field(default_factory=dict, repr=False, compare=False)


def targets(feeds: Mapping[str, Feed]) -> Known:
    """What headings are tried against; made once for many files."""
    found = tuple(_target(feed, layout) for feed in feeds.values() for layout in (feed.layout(), *feed.layouts))
    return Known(found, frozenset(heading for target in found for heading in target.lookup))


def _target(feed: Feed, layout: Layout) -> Target:
    columns = {**feed.std_columns(), **{column.name: column for column in layout.columns}}
    lookup: dict[str, tuple[str, int, bool]] = {}
    # shared columns first, so that a feed's own column under the same heading wins; the layout's aliases win over both
    for name, column in columns.items():
        for order, heading in enumerate(column.first_filled or (column.heading, *column.aliases)):
            lookup[normalise_heading(heading)] = (name, order, False)
        for order, heading in enumerate(column.opposite, 1000):
            lookup[normalise_heading(heading)] = (name, order, True)
    for name, headings in layout.aliases.items():
        for order, heading in enumerate(headings, 500):
            lookup[normalise_heading(heading)] = (name, order, False)
    own = {column.name for column in feed.own_columns()}.union(layout.split.parts if layout.split else ())
    return Target(feed, layout, columns, lookup, frozenset(own))


def match_of(target: Target, cells: Cells, rows: tuple[int, ...], shown: list[str], hint: str) -> Match | None:
    """The match of one row of headings (or two) with a feed in a layout; None where something keeps it from being that.

    `shown`: the headings as the sheet writes them; `hint`: names of the file and of the sheet.
    """
    mapping, inverse = mapping_of(target, cells)
    layout = target.layout
    given = given_by(layout, hint)
    there = set(mapping) | set(given) | {name for name, other in layout.same_as.items() if other in mapping}
    there |= layout.split.gives() if layout.split else frozenset()
    headings = {heading for candidates in cells for heading in candidates}
    signs = len(headings.intersection(map(normalise_heading, layout.signs)))
    if not there.issuperset(layout.required) or not (signs or set(mapping) & target.own):
        return None
    if layout.split and not set(mapping).intersection(layout.split.parts):
        return None
    if missing_in(layout, headings) or strange_in(layout, headings):
        return None
    return Match(target, rows, mapping, inverse, tuple(shown), given, signs)


def missing_in(layout: Layout, headings: set[str]) -> list[str]:
    """The headings that this layout must have and a sheet does not have; of those that may stand for each other the first."""
    lacking = [heading for heading in layout.present if normalise_heading(heading) not in headings]
    any_of = headings.intersection(map(normalise_heading, layout.one_of))
    return lacking if any_of else [*lacking, *layout.one_of[:1]]


def strange_in(layout: Layout, headings: set[str]) -> list[str]:
    """Of a sheet's headings those that this layout must not have, as the layout writes them."""
    return [heading for heading in layout.absent if normalise_heading(heading) in headings]


def mapping_of(target: Target, cells: Cells) -> tuple[dict[str, tuple[int, ...]], frozenset[int]]:
    """Canonical heading first, then the aliases in order, then the inverse questions; of the same heading the first."""
    hits: dict[str, list[tuple[int, int, bool]]] = {}
    for index, candidates in enumerate(cells):
        for heading in candidates:
            if (hit := target.lookup.get(heading)) is not None:
                hits.setdefault(hit[0], []).append((hit[1], index, hit[2]))
                break
    mapping: dict[str, tuple[int, ...]] = {}
    inverse: set[int] = set()
    for name in target.columns:
        if name in hits:
            found = sorted(hits[name])
            kept = found if target.columns[name].first_filled else found[:1]
            mapping[name] = tuple(index for _, index, _ in kept)
            inverse.update(index for _, index, opposite in kept if opposite)
    return mapping, frozenset(inverse)


def given_by(layout: Layout, hint: str) -> dict[str, str]:
    """The constants, and what the words in the name say; a longer word is more precise and wins."""
    given = dict(layout.constants)
    for word in sorted(layout.from_name, key=len):
        if word in hint:
            given.update(layout.from_name[word])
    return given
