"""The question that a page asks: every scheme of one household, with persons of one outcome told together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from monitoring.access import Scope
from monitoring.entitlement.binding import Bound, bound
from monitoring.entitlement.changes import Change
from monitoring.entitlement.judging import Judge, Judged, read_rows
from monitoring.entitlement.model import EXCLUDED, MISSING, STATUSES, Document, Entitlement
from monitoring.entitlement.stacking import stack
from monitoring.entitlement.words import joined, said
from monitoring.queries.income import income
from monitoring.rules import clause_for
from monitoring.strict_toml import Bilingual
from monitoring.warehouse import Warehouse

NAMELESS = "姓名不明"


def entitlement(warehouse: Warehouse, scope: Scope, household_key: int) -> list[Entitlement]:
    """Every scheme for the household and its living members: missing first, then received, unknown, excluded.

    Empty where the household has no living member, or lies outside the scope. Names are masked as the scope says. Raises
    `PolicyError` where the county's own scheme files cannot be used.
    """
    known = bound(warehouse)
    homes, people = read_rows(warehouse, scope, known, household_key)
    if not homes:
        return []
    judge = Judge(known, homes[0], people, income(warehouse, scope, household_key))
    found = judge.all()
    stack(judge, found)
    return answer(judge, found)


def answer(judge: Judge, found: Sequence[Judged]) -> list[Entitlement]:
    """The rows as they are shown: excluded and unknown persons of a scheme together, the rest one by one.

    Who lives here and belongs to another household of the registry is answered there.
    """
    rows = []
    for one in judge.bound.bound:
        mine = [judged for judged in found if judged.bound is one]
        rows += [_row(judge.bound, same, len(judge.people)) for same in _alike(mine)]
        if excluded := [judged for judged in mine if judged.status == EXCLUDED]:
            rows.append(_excluded(judge, excluded))
    place = {scheme.key: number for number, scheme in enumerate(judge.bound.schemes.schemes)}
    return sorted(rows, key=lambda row: (STATUSES.index(row.status), row.yields, place[row.scheme]))


def _alike(mine: Sequence[Judged]) -> list[list[Judged]]:
    """Persons of whom the same is to be said, together; each whose money differs alone."""
    groups: dict[tuple[object, ...], list[Judged]] = {}
    for one in mine:
        if one.status != EXCLUDED:
            apart = one.person_id if one.status == MISSING or one.now is not None or one.choice is not None else None
            groups.setdefault((one.status, one.why, one.says, apart), []).append(one)
    return list(groups.values())


def _row(bound: Bound, same: Sequence[Judged], everybody: int = 0) -> Entitlement:
    """One row for one subject, or for several of which the same is said."""
    one, scheme = same[0], same[0].bound.scheme
    return Entitlement(
        scheme=scheme.key,
        title=scheme.title,
        pays=scheme.pays,
        person=None if one.person_id is None or (len(same) == everybody > 1) else _names(same),
        person_ids=tuple(judged.person_id for judged in same if judged.person_id is not None),
        status=one.status,
        monthly_now=one.now,
        monthly_due=one.due,
        why=one.why,
        clause=one.clause,
        note=one.note,
        missing_inputs=one.missing_inputs,
        documents=_documents(bound, one) if one.status == MISSING else (),
        excludes=_excludes(bound, scheme.key),
        smallest_change=_nearest(same) if one.status == EXCLUDED else one.says,
        choice=one.choice,
        yields=one.yields,
        gives_up=one.gives_up,
    )


def _excluded(judge: Judge, excluded: Sequence[Judged]) -> Entitlement:
    """One row a scheme for all who do not get it; different reasons with the names before them."""
    row = _row(judge.bound, excluded, everybody=len(judge.people))
    reasons = list(dict.fromkeys(judged.why for judged in excluded))
    if len(reasons) < 2:
        return row
    told = []
    for why in reasons:
        names = _names([judged for judged in excluded if judged.why == why])
        told.append(said(Bilingual("{names}：{why}", "{names}: {why}"), names=Bilingual(names, names), why=why))
    clause = "；".join(dict.fromkeys(judged.clause for judged in excluded))
    return replace(row, person=None, why=joined(told), clause=clause)


def _nearest(same: Sequence[Judged]) -> Bilingual | None:
    """Of several persons the one who is nearest, by name; where all are as near, any of them."""
    near = [
        (judged.change.distance, judged.says, judged.name)
        for judged in same
        if isinstance(judged.change, Change) and judged.says is not None
    ]
    if not near:
        return None
    _, says, name = min(near, key=lambda found: found[0])
    if len(same) == 1:
        return says
    alike = [other for _, told, other in near if told == says]
    whose = Bilingual("其中任一人", "Any of them") if len(alike) > 1 else Bilingual(*(name or NAMELESS,) * 2)
    return said(Bilingual("{whose}：{says}", "{whose}: {says}"), whose=whose, says=says)


def _names(same: Iterable[Judged]) -> str:
    return "、".join(judged.name or NAMELESS for judged in same)


def _documents(bound: Bound, one: Judged) -> tuple[Document, ...]:
    """What to bring: what everybody brings, and what the row needs; where that is not known it is asked for."""
    return tuple(
        Document(held.paper.what, clause_for(held.paper.clause, bound.pack))
        for held in one.bound.papers
        if held.needed is None or held.needed(one.row) is not False
    )


def _excludes(bound: Bound, key: str) -> tuple[Bilingual, ...]:
    """The schemes that cannot be had beside this one."""
    titles = {scheme.key: scheme.title for scheme in bound.schemes.schemes}
    pairs = [apart.schemes for apart in bound.schemes.apart if key in apart.schemes]
    return tuple(titles[b if a == key else a] for a, b in pairs)
