"""The sentence of a rule: a template whose slots are columns, parameters and the time limit of the level.

`{income_pc}` is a column of the snapshot, `{$dibao_standard_rural}` a parameter, `{days}` the working days that the
pack gives for the signal's level. A slot may say how it reads:
`{$rigid_share:%}` as a percentage; `{paid_month:month}` a date's year and month;
`{urban:城市|农村}` one text for true, one for false, and if wished a third for unknown;
`{income_pc: # 元|不明}` a text around the value where it is known, and if wished another where it is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from monitoring.language import Words
from monitoring.rules.expressions import Scope, column_family
from monitoring.strict_toml import did_you_mean

DAYS = "days"
_SLOT = re.compile(r"\{([^{}]*)\}")
_NAMED = re.compile(r"(\$?)(\w+)(?::(%|month|[^{}]*[#|][^{}]*))?")


@dataclass(frozen=True)
class Slot:
    """One thing filled in: a column's or a parameter's name, and how it reads."""

    name: str
    parameter: bool = False
    style: str = ""

    @property
    def choices(self) -> list[str]:
        """The texts of a style with bars: for true, false and unknown, or for a known value and an unknown one."""
        return self.style.split("|") if "|" in self.style or "#" in self.style else []


@dataclass(frozen=True)
class Sentence:
    """A template in one language, cut into texts and slots."""

    text: str
    pieces: tuple[str | Slot, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.pieces if isinstance(p, Slot) and not p.parameter and p.name != DAYS)

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.pieces if isinstance(p, Slot) and p.parameter)


def read_sentence(text: str, scope: Scope, complain: Callable[[str, str], None]) -> Sentence:
    """The template; complains of braces that do not match and of names that are not known."""
    pieces: list[str | Slot] = []
    end = 0
    for found in _SLOT.finditer(text):
        pieces.append(text[end : found.start()])
        end = found.end()
        named = _NAMED.fullmatch(found[1])
        if named is None:
            complain(
                Words("句子中 {slot} 读不懂", slot=found[0]),
                "{income_pc} 这样的列、{$dibao_standard_rural} 这样的参数，或 {days}；比例可写 {$rigid_share:%}，月份可写 {paid_month:month}，是否可写 {urban:城市|农村}，带单位可写 {income_pc: # 元|不明}",
            )
            continue
        slot = Slot(named[2], bool(named[1]), named[3] or "")
        _check_slot(slot, scope, complain)
        pieces.append(slot)
    pieces.append(text[end:])
    if any("{" in piece or "}" in piece for piece in pieces if isinstance(piece, str)):
        complain("句子中的花括号不成对", "{income_pc} 这样两边各一个花括号")
    return Sentence(text, tuple(piece for piece in pieces if piece != ""))


def _check_slot(slot: Slot, scope: Scope, complain: Callable[[str, str], None]) -> None:
    if slot.parameter:
        if slot.name not in scope.kinds:
            complain(
                Words("句子中没有参数 ${name}{hint}", name=slot.name, hint=did_you_mean(slot.name, scope.kinds)),
                "政策包中的参数，点号写成下划线",
            )
            return
        family = scope.kinds[slot.name]
    elif slot.name == DAYS:
        family = "number"
    elif slot.name not in scope.columns:
        complain(
            Words("句子中没有列 {name}{hint}", name=slot.name, hint=did_you_mean(slot.name, scope.columns)),
            "monitoring/tables.py 中该对象的一列",
        )
        return
    else:
        family = column_family(scope.columns[slot.name])
    wanted = {"%": "number", "month": "date"}.get(slot.style, family)
    if "#" not in slot.style and "|" in slot.style:
        wanted = "flag"
    if family != wanted:
        complain(
            Words("句子中 {name} 不能按 :{style} 显示", name=slot.name, style=slot.style),
            ":% 只用于数值，:month 只用于日期，:甲|乙 只用于是否",
        )
