"""Where the heading of a sheet is, and of what feed it is.

Every row among the first filled ones, alone and together with the next (two rows under merged cells), is tried against
the headings of all feeds and their layouts. The most columns win, then the larger share of the feed's own columns,
then the file's name; what stays equal is not decided here but reported.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.feeds import Column, Feed, Layout, normalise_heading
from pipelines.reading.model import Sheet
from pipelines.reading.two_rows import Cells, is_hint, joined_cells, shown_headings, spans, upper_headings

MAX_HEADING_ROW = 30  # filled rows that are looked at


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

    def rank(self) -> tuple[int, float]:
        from_name = {n for values in self.target.layout.from_name.values() for n in values}
        count = len(self.mapping) + len((from_name & set(self.given)) - set(self.mapping))
        return count, len(self.target.own & set(self.mapping)) / max(1, len(self.target.own))


def targets(feeds: Mapping[str, Feed]) -> list[Target]:
    """All feeds in all their layouts, a feed's own shape before its layouts."""
    return [_target(feed, layout) for feed in feeds.values() for layout in (feed.layout(), *feed.layouts)]


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
    own = frozenset(column.name for column in feed.own_columns())
    return Target(feed, layout, columns, lookup, own)


def find_heading(sheet: Sheet, known: list[Target], hint: str) -> Match | str:
    """The match of a sheet, or in Chinese why there is none. `hint`: names of the file and of the sheet."""
    head = sheet.head()
    vocabulary = {heading for target in known for heading in target.lookup}
    matches: list[Match] = []
    nearest: tuple[int, int, str] = (0, 0, "")
    for row in [i for i, cells in enumerate(head) if any(cells)][:MAX_HEADING_ROW]:
        single = [[normalise_heading(cell)] if cell else [] for cell in head[row]]
        below = head[row + 1] if row + 1 < len(head) else []
        under = [[normalise_heading(cell)] if cell else [] for cell in below]
        parents = upper_headings(sheet, row + 1, head[row], below)
        pair = joined_cells(head[row], below, parents, vocabulary) if any(below) and any(head[row]) else None
        if sum(1 for c in single if set(c) & vocabulary) + sum(1 for c in pair or () if set(c) & vocabulary) < 2:
            continue
        for target in known:
            alone = _match(target, single, (row + 1,), head[row], hint)
            both = None
            if pair is not None:
                shown = shown_headings(head[row], below, parents)
                both = _match(target, pair, (row + 1, row + 2), shown, hint)
                if both and not _is_better(both, alone, _map(target, under)[0], head[row], below, parents):
                    both = None
            if best := both or alone:
                matches.append(best)
            else:
                nearest = max(nearest, _nearness(target, single, hint), key=lambda n: n[:2])
    if not matches:
        return nearest[2] or "前 30 行里没有找到已知台账的表头，可能是说明页；如果是台账，请核对表头"
    return _decide(matches, hint)


def _match(target: Target, cells: Cells, rows: tuple[int, ...], shown: list[str], hint: str) -> Match | None:
    mapping, inverse = _map(target, cells)
    layout = target.layout
    given = _given(layout, hint)
    there = set(mapping) | set(given) | {name for name, other in layout.same_as.items() if other in mapping}
    headings = {heading for candidates in cells for heading in candidates}
    if not there.issuperset(layout.required) or not set(mapping) & target.own:
        return None
    if not headings.issuperset(map(normalise_heading, layout.present)):
        return None
    if headings.intersection(map(normalise_heading, layout.absent)):
        return None
    return Match(target, rows, mapping, inverse, tuple(shown), given)


def _map(target: Target, cells: Cells) -> tuple[dict[str, tuple[int, ...]], frozenset[int]]:
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
        if found := sorted(hits.get(name, ())):
            kept = found if target.columns[name].first_filled else found[:1]
            mapping[name] = tuple(index for _, index, _ in kept)
            inverse.update(index for _, index, opposite in kept if opposite)
    return mapping, frozenset(inverse)


def _given(layout: Layout, hint: str) -> dict[str, str]:
    """The constants, and what the words in the name say; a longer word is more precise and wins."""
    given = dict(layout.constants)
    for word in sorted(layout.from_name, key=len):
        if word in hint:
            given.update(layout.from_name[word])
    return given


def _is_better(
    both: Match,
    alone: Match | None,
    under: Mapping[str, tuple[int, ...]],
    top: list[str],
    below: list[str],
    parents: list[str],
) -> bool:
    """Whether two rows are the heading: more columns are understood than by either, or the lower is plainly its rest."""
    if len(both.mapping) <= len(under):  # a title over a heading adds nothing to it
        return False
    return alone is None or len(both.mapping) > len(alone.mapping) or _is_remainder(alone, top, below, parents)


def _is_remainder(alone: Match, top: list[str], below: list[str], parents: list[str]) -> bool:
    """Whether the lower row plainly belongs to the heading: nothing under a required column, all under wide ones."""
    required = {i for name in alone.target.layout.required for i in alone.mapping.get(name, ())}
    filled = {i for i, cell in enumerate(below) if cell and not is_hint(top[i], cell)}
    return not required & filled and all(spans(i, parents, top) for i in filled)


def _decide(matches: list[Match], hint: str) -> Match | str:
    best = max(match.rank() for match in matches)
    first = [match for match in matches if match.rank() == best]
    ids = {match.target.feed.id for match in first}
    if len(ids) > 1:
        likeness = {match.target.feed.id: _likeness(match.target.feed, hint) for match in first}
        most = max(likeness.values())
        named = {feed_id for feed_id, like in likeness.items() if like == most}
        if len(named) > 1 or most < 2:
            titles = "或".join(sorted(f"「{match.target.feed.title}」" for match in first))
            return f"可能是{titles}，从表头分不清；请在文件名里写明是哪种台账"
        ids = named
    # of equal ones the single row, then the upper one
    return min(
        (match for match in first if match.target.feed.id in ids), key=lambda match: (len(match.rows), match.rows)
    )


def _likeness(feed: Feed, hint: str) -> int:
    """How much of a feed's title stands in the file's name: the number of pairs of characters; its id says it all."""
    return 99 if feed.id in hint else sum(a + b in hint for a, b in itertools.pairwise(feed.title))


def _nearness(target: Target, cells: Cells, hint: str) -> tuple[int, int, str]:
    """How near a feed is that does not fit: mapped columns, less missing ones, and the words that say what lacks."""
    mapping, _ = _map(target, cells)
    given = _given(target.layout, hint)
    missing = [name for name in target.layout.required if name not in mapping and name not in given]
    if len(mapping) < 2 or not target.own & set(mapping) or target.layout.name or not missing:
        return 0, 0, ""
    lacks = "、".join(target.columns[name].heading for name in missing)
    words = f"最接近「{target.feed.title}」，缺少：{lacks}；请补上这些列，或把现有表头对应到这些列"
    named = [w for layout in target.feed.layouts for w, given in layout.from_name.items() if set(missing) <= set(given)]
    if named:
        words += f"，或在文件名里写明（{'、'.join(dict.fromkeys(named))}）"
    return len(mapping), -len(missing), words
