"""Schemes that exclude each other: of those that a household has or is due, the best that can be had together.

Dibao and tekun exclude each other for a person, not for a household: where some members are due tekun, dibao is worked out
for the others. Everything else that stands in `_stacking.toml` and meets in one person or household is a choice: the
set with most money a month wins, or the first in rank where an amount is not known. The choice is named on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

from monitoring.entitlement.judging import Judge, Judged
from monitoring.entitlement.model import MISSING, RECEIVES
from monitoring.entitlement.schemes import Apart, Schemes
from monitoring.entitlement.words import joined, said
from monitoring.strict_toml import Bilingual

WHOLE, CARE = "dibao", "tekun"
MOST_TOGETHER = 12  # beyond it the first in rank are taken one by one

BY_MONEY = Bilingual("按每月金额比较", "by the money a month")
BY_RANK = Bilingual("金额不全，按保障层级排列", "by rank, since not all amounts are known")
BY_RULE = Bilingual("依规定，不按金额", "by the rule, whatever the money")
BETTER = Bilingual(
    "{rules}；与{others}择一，本项较优（{basis}）", "{rules}; one of this and {others}: this one is better ({basis})"
)
GIVES_WAY = Bilingual(
    "{rules}；与{others}择一，{better}较优（{basis}）；核实不符合的，再按本项办理",
    "{rules}; one of this and {others}: {better} is better ({basis}); if that does not hold at the door, this one is due",
)
COULD_MOVE = Bilingual(
    "{rules}；可改享{better}（{basis}），由本人选择，核实前不停发",
    "{rules}; {better} could be had instead ({basis}); the person chooses, and nothing is stopped before a check",
)
TWICE = Bilingual(
    "{rules}；现与{others}同时在册，请核实保留哪一项（{better}较优，{basis}），核实前不停发",
    "{rules}; received together with {others}: check which one stays ({better} is better, {basis}); nothing is stopped before that",
)
BESIDE_TEKUN = Bilingual(
    "{names}另按特困供养，低保按其余 {rest} 人计算；核实不符合特困的，按 {all} 人计算为每月 {whole} 元",
    "{names}: tekun; dibao is worked out for the other {rest}. If tekun does not hold at the door, dibao for {all} is {whole} yuan a month",
)
MOVES_TO_TEKUN = Bilingual(
    "现随全家享受低保；转为特困后，低保按其余 {rest} 人重算为每月 {alone} 元",
    "On dibao with the family now; after the move to tekun, dibao is worked out for the other {rest}: {alone} yuan a month",
)


def stack(judge: Judge, found: Sequence[Judged]) -> None:
    """Writes the choices into the rows: what excludes what, which is better, what is given up for it."""
    held = [one for one in found if one.status in (RECEIVES, MISSING)]
    everybody = [person["person_id"] for person in judge.people]
    split = _split(judge, held)
    apart = {frozenset(rule.schemes): rule for rule in judge.bound.schemes.apart}
    clashes = [
        (a, b, rule)
        for a, b in combinations(held, 2)
        if (rule := apart.get(frozenset((a.key, b.key)))) is not None and _meet(rule, a, b, everybody, split)
    ]
    for group in _connected(clashes):
        _choose(judge.bound.schemes, group, [c for c in clashes if c[0] in group])


def _split(judge: Judge, held: Sequence[Judged]) -> bool:
    """Dibao for those whom tekun does not take. True where both stand side by side in the household."""
    dibao = next((one for one in held if one.key == WHOLE), None)
    leaving = [one for one in held if one.key == CARE and one.status == MISSING]
    rest = judge.covered - len(leaving)
    if dibao is None or not leaving or rest <= 0:
        return dibao is not None and rest > 0
    alone, whole = judge.top_up(rest), judge.top_up(judge.covered)
    if dibao.status == MISSING:
        names = "、".join(one.name or "?" for one in leaving)
        dibao.due = alone
        dibao.choice = said(BESIDE_TEKUN, names=Bilingual(names, names), rest=rest, all=judge.covered, whole=whole)
        return True
    leaving[0].gives_up = max((dibao.now or Decimal(0)) - (alone or Decimal(0)), Decimal(0))
    for one in leaving:
        one.choice = said(MOVES_TO_TEKUN, rest=rest, alone=alone)
    return True


def _meet(rule: Apart, a: Judged, b: Judged, everybody: Sequence[int], split: bool) -> bool:
    """Whether two rows concern the same person, or one household where that is the measure."""
    if rule.between == "household":
        return True
    if {a.key, b.key} == {WHOLE, CARE} and (split or RECEIVES in _status_of(CARE, a, b)):
        return False  # who is on tekun is not counted in dibao
    persons = [set(everybody) if one.person_id is None else {one.person_id} for one in (a, b)]
    return bool(persons[0] & persons[1])


def _status_of(key: str, *rows: Judged) -> set[str]:
    return {row.status for row in rows if row.key == key}


def _connected(clashes: Sequence[tuple[Judged, Judged, Apart]]) -> list[list[Judged]]:
    groups: list[list[Judged]] = []
    for a, b, _ in clashes:
        touching = [group for group in groups if a in group or b in group]
        merged = [a, b] if not touching else []
        for group in touching:
            groups.remove(group)
            merged += [one for one in group if one not in merged]
        merged += [one for one in (a, b) if one not in merged]
        groups.append(merged)
    return groups


def _choose(schemes: Schemes, group: list[Judged], clashes: Sequence[tuple[Judged, Judged, Apart]]) -> None:
    ranks = {key: place for place, key in enumerate(schemes.rank)}

    def rank(one: Judged) -> int:
        return ranks.get(one.key, len(ranks))

    against = {id(one): [(b if a is one else a, rule) for a, b, rule in clashes if one in (a, b)] for one in group}
    by_rule = any(rule.by_rule for _, _, rule in clashes)
    priced = not by_rule and all(_amount(one) is not None for one in group)
    basis = BY_RULE if by_rule else BY_MONEY if priced else BY_RANK
    best: list[Judged] = []
    if len(group) > MOST_TOGETHER:
        for one in sorted(group, key=rank):
            if not any(other in best for other, _ in against[id(one)]):
                best.append(one)
    else:
        sets = [
            list(chosen)
            for many in range(1, len(group) + 1)
            for chosen in combinations(sorted(group, key=rank), many)
            if not any(other in chosen for one in chosen for other, _ in against[id(one)])
        ]
        if priced:
            best = min(sets, key=lambda chosen: (-_money(chosen), [rank(one) for one in chosen]))
        else:
            best = min(sets, key=lambda chosen: [*(rank(one) for one in chosen), len(ranks) + 1])
    for one in group:
        _say(one, best, against[id(one)], basis)


def _amount(one: Judged) -> Decimal | None:
    """Yuan a month that a row stands for; a recognition stands for none."""
    if one.bound.scheme.pays != "month":
        return Decimal(0)
    return one.now if one.status == RECEIVES else one.due


def _money(chosen: Sequence[Judged]) -> Decimal:
    return sum((_amount(one) or Decimal(0) for one in chosen), Decimal(0))


def _say(one: Judged, best: Sequence[Judged], against: Sequence[tuple[Judged, Apart]], basis: Bilingual) -> None:
    """Names the choice on one row: that it is the better, that it gives way, or that both are received already."""
    others = [other for other, _ in against]
    better = [one] if one in best else [other for other in others if other in best]
    if one.status == RECEIVES and all(other.status == RECEIVES for other in others):
        sentence = TWICE
    elif one in best:
        sentence = BETTER
        lost = [other for other in others if other.status == RECEIVES and other not in best]
        if one.status == MISSING and not any(winner.gives_up for winner in best):
            one.gives_up = sum((other.now or Decimal(0) for other in lost), Decimal(0))
    else:
        one.yields = True
        sentence = GIVES_WAY if one.status == MISSING else COULD_MOVE
    told = said(
        sentence,
        rules=joined([rule.says for _, rule in against], "；", "; "),
        others=_titles(others),
        better=_titles(better),
        basis=basis,
    )
    one.choice = told if one.choice is None else joined([one.choice, told])


def _titles(rows: Sequence[Judged]) -> Bilingual:
    return joined([row.bound.scheme.title for row in rows], "、", ", ")
