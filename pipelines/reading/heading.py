"""Where the heading of a sheet is, and of what feed it is.

Every row among the first filled ones, alone and together with the next (two rows under merged cells), is tried against
the headings of all feeds and their layouts. The most columns win, then an own column of the feed that says more than
of which household, then the larger share of its own columns, then the file's name; what stays equal is not decided here but reported.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from monitoring.feeds import Feed, normalise_heading
from pipelines.reading.model import Sheet
from pipelines.reading.target import (
    Alone,
    Known,
    Match,
    Nearness,
    Target,
    given_by,
    mapping_of,
    match_of,
    missing_in,
    strange_in,
)
from pipelines.reading.two_rows import Cells, is_hint, joined_cells, shown_headings, spans, upper_headings

MAX_HEADING_ROW = 30  # filled rows that are looked at
MOST_TRIED = 5_000  # rows of headings of which is kept what they meant
NOT_NEAR: Nearness = (0, 0, "")


def find_heading(sheet: Sheet, known: Known, hint: str) -> Match | str:
    """The match of a sheet, or in Chinese why there is none. `hint`: names of the file and of the sheet."""
    head = sheet.head()
    vocabulary = known.vocabulary
    matches: list[Match] = []
    nearest = NOT_NEAR
    likest: tuple[int, list[str]] = (0, [])  # the row of which most cells are headings of some feed
    for row in [i for i, cells in enumerate(head) if any(cells)][:MAX_HEADING_ROW]:
        single = [[normalise_heading(cell)] if cell else [] for cell in head[row]]
        below = head[row + 1] if row + 1 < len(head) else []
        under = [[normalise_heading(cell)] if cell else [] for cell in below]
        parents = upper_headings(sheet, row + 1, head[row], below)
        pair = joined_cells(head[row], below, parents, vocabulary) if any(below) and any(head[row]) else None
        understood = [cell for cell, c in zip(head[row], single, strict=True) if set(c) & vocabulary]
        if len(understood) > len(likest[1]) and len(understood) < sum(map(bool, head[row])):
            likest = row + 1, understood
        if len(understood) + sum(1 for c in pair or () if set(c) & vocabulary) < 2:
            continue
        by_itself = alone_in(known, row + 1, head[row], hint)
        if pair is None:
            matches += filter(None, by_itself.matches)
            nearest = max(nearest, by_itself.nearest, key=lambda n: n[:2])
            continue
        shown = shown_headings(head[row], below, parents)
        for target, alone in zip(known.targets, by_itself.matches, strict=True):
            both = match_of(target, pair, (row + 1, row + 2), shown, hint)
            if both and not _is_better(both, alone, mapping_of(target, under)[0], head[row], below, parents):
                both = None
            if best := both or alone:
                matches.append(best)
            else:
                nearest = max(nearest, _nearness(target, single, hint), key=lambda n: n[:2])
    if not matches:
        return nearest[2] or _unknown(*likest)
    best_match = _decide(matches, hint)
    if isinstance(best_match, Match) and best_match.target.layout.refused:
        return _refusal(best_match)
    return best_match


def alone_in(known: Known, row: int, cells: list[str], hint: str) -> Alone:
    """What a row of headings (1-based) means without the next one. Kept: it is asked again for every month's file."""
    key = (row, tuple(cells), hint)
    found = known.tried.get(key)
    if found is None:
        single = [[normalise_heading(cell)] if cell else [] for cell in cells]
        matches = tuple(match_of(target, single, (row,), cells, hint) for target in known.targets)
        others = (target for target, match in zip(known.targets, matches, strict=True) if match is None)
        nearest = max((_nearness(target, single, hint) for target in others), key=lambda n: n[:2], default=NOT_NEAR)
        if len(known.tried) >= MOST_TRIED:
            known.tried.clear()
        known.tried[key] = found = Alone(matches, nearest)
    return found


def _unknown(row: int, understood: list[str]) -> str:
    """Why no feed fits at all: what was understood, so that whoever sent the file sees how far it got."""
    if not understood:
        return "前 30 行里没有找到已知台账的表头，可能是说明页；如果是台账，请核对表头"
    named = "”“".join(" ".join(cell.split()) for cell in understood)
    return f"第 {row} 行认得“{named}”，其余各列不像任何一种已知台账；如果是台账，请核对列名，或用 buluo map 指定它是哪种台账"


def _refusal(match: Match) -> str:
    """Why a layout that is known cannot be loaded, in its own words."""
    feed, layout = match.target.feed, match.target.layout
    lacks = "、".join(match.target.columns[n].heading for n in feed.required if n not in {*match.mapping, *match.given})
    return f"这是{layout.name}，{layout.refused.replace('{lacks}', lacks)}"


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


def _nearness(target: Target, cells: Cells, hint: str) -> Nearness:
    """How near a feed is that does not fit: mapped columns, less missing ones, and the words that say what lacks."""
    mapping, _ = mapping_of(target, cells)
    layout = target.layout
    if len(mapping) < 2 or not target.own & set(mapping) or (layout.name and not layout.split):
        return 0, 0, ""
    there = {*mapping, *given_by(layout, hint), *(layout.split.gives() if layout.split else ())}
    headings = {heading for candidates in cells for heading in candidates}
    missing = [name for name in layout.required if name not in there]
    lacking = [target.columns[name].heading for name in missing] + missing_in(layout, headings)
    if not lacking:
        strange = "”“".join(strange_in(layout, headings))
        words = f"像「{target.feed.title}」，但有“{strange}”，是另一种表，不能当作这种台账载入"
        return (1, 0, words) if strange else (0, 0, "")  # less near than a feed that only lacks something
    words = f"最接近「{target.feed.title}」，缺少：{'、'.join(lacking)}；请补上这些列，或把现有表头对应到这些列"
    named = [
        w
        for layout in target.feed.layouts
        for w, given in layout.from_name.items()
        if missing and set(missing) <= set(given)
    ]
    if named:
        words += f"，或在文件名里写明（{'、'.join(dict.fromkeys(named))}）"
    return len(mapping), -len(lacking), words
