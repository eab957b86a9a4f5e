"""A policy pack's parameters in memory: one jurisdiction, its dated values, and what is in force on a day.

A pack that extends another says only what differs or what its own document states; the rest, and what lies outside a
value's dates, is the extended pack's. A parameter that is off disables the rules that name it; one whose value is
`none` (no ceiling) does not. `monitoring.policy` reads the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from monitoring.strict_toml import Bilingual, Span

Content = Decimal | str | bool | tuple[int | str, ...] | None
CITED = re.compile(r"^(?:参照\s*)?([A-Z]{2,6})\s+(.+)$")  # a clause that begins with a document's short name


def placeholder(name: str) -> str:
    """A parameter's name in an expression: `dibao.standard_rural` is written `$dibao_standard_rural`."""
    return name.replace(".", "_")


@dataclass(frozen=True)
class Value:
    """One dated value of one parameter. `value` is None where it is off, or where there is none (no ceiling)."""

    name: str
    value: Content
    off: bool
    span: Span
    clause: str
    document: str
    unit: Bilingual
    meaning: Bilingual
    from_pack: str
    note: str = ""

    @property
    def valid_from(self) -> date | None:
        return self.span.first

    @property
    def valid_until(self) -> date | None:
        return self.span.last

    @property
    def citation(self) -> str:
        """The clause with its document's own name in place of the short one: 草街办发〔2024〕54号 二（七）."""
        cited = CITED.match(self.clause)
        if not cited or not self.document:
            return self.clause
        return f"{'参照 ' if self.clause.startswith('参照') else ''}{self.document} {cited[2]}"

    @property
    def shown(self) -> str:
        return show_content(self.value, off=self.off)


def show_content(content: Content, *, off: bool = False) -> str:
    """A value as text for people: 1.5, 是, 汽车、摩托车, 无, 停用."""
    if off:
        return "停用"
    if content is None:
        return "无"
    if isinstance(content, bool):
        return "是" if content else "否"
    if isinstance(content, tuple):
        return "、".join(map(str, content)) or "（空）"
    return plain_number(content) if isinstance(content, Decimal) else content


def kind_of(content: Content) -> str:
    """number, flag, text or list; "" for none."""
    if content is None:
        return ""
    kinds = {bool: "flag", Decimal: "number", str: "text", tuple: "list"}
    return kinds[type(content)]


def plain_number(number: Decimal) -> str:
    """Without exponent and without trailing zeros: 500, 1.5, 0.6."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Parameters(Mapping[str, Value]):
    """What holds on one day in one pack, by dotted name; typed getters for what Python computes with."""

    def __init__(self, pack: Pack, as_of: date, values: dict[str, Value]) -> None:
        self.pack, self.as_of, self._values = pack, as_of, values
        self.by_placeholder = {placeholder(name): value for name, value in values.items()}

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            raise KeyError(f"政策包 {self.pack.name} 在 {self.as_of} 没有参数 {name} 的有效值")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def is_off(self, name: str) -> bool:
        return self[name].off

    def number(self, name: str) -> Decimal | None:
        """A number, or None where it is off or there is none; raises TypeError for a parameter of another kind."""
        found = self[name].value
        if found is not None and not isinstance(found, Decimal):
            raise TypeError(f"{name} is not a number")
        return found

    def whole(self, name: str) -> int | None:
        found = self.number(name)
        if found is not None and found != int(found):
            raise TypeError(f"{name} = {found} is not a whole number")
        return None if found is None else int(found)

    def flag(self, name: str) -> bool:
        """True or false; off counts as false."""
        found = self[name].value
        if not isinstance(found, bool) and not self[name].off:
            raise TypeError(f"{name} is not true or false")
        return found is True

    def text(self, name: str) -> str:
        found = self[name].value
        if not isinstance(found, str):
            raise TypeError(f"{name} is not a text")
        return found

    def items_of(self, name: str) -> tuple[int | str, ...]:
        """The items of a list parameter; none where it is off."""
        found = self[name].value
        if not isinstance(found, tuple) and not self[name].off:
            raise TypeError(f"{name} is not a list")
        return found if isinstance(found, tuple) else ()


@dataclass(frozen=True)
class Pack:
    """One jurisdiction; `own` holds the values that its own file states, `parent` the pack that it extends.

    `document` and `short` name the paper that the pack stands for; `documents` names those of all packs by short name.
    """

    name: str
    title: Bilingual
    document: str
    short: str
    parent: Pack | None
    file: Path
    own: Mapping[str, tuple[Value, ...]] = field(repr=False)
    documents: Mapping[str, str] = field(default_factory=dict, repr=False)

    def chain(self) -> Iterator[Pack]:
        """This pack, the one it extends, and so on."""
        pack: Pack | None = self
        while pack is not None:
            yield pack
            pack = pack.parent

    def values(self, name: str) -> list[Value]:
        """Every value of one parameter, the pack's own first."""
        return [value for pack in self.chain() for value in pack.own.get(name, ())]

    def names(self) -> set[str]:
        return {name for pack in self.chain() for name in pack.own}

    def in_force(self, as_of: date) -> Parameters:
        """The parameters on one day; one without any value on that day is absent."""
        found: dict[str, Value] = {}
        for name in sorted(self.names()):
            for value in self.values(name):
                if value.span.holds(as_of):
                    found[name] = value
                    break
        return Parameters(self, as_of, found)


@dataclass(frozen=True)
class Difference:
    """One parameter whose value is not the same in two packs on one day; None where a pack lacks it."""

    name: str
    a: Value | None
    b: Value | None


def diff(a: Pack, b: Pack, as_of: date) -> list[Difference]:
    """The parameters that differ in value on that day, by name; a mere difference of clause is none."""
    left, right = a.in_force(as_of), b.in_force(as_of)
    pairs = ((name, left.get(name), right.get(name)) for name in sorted({*left, *right}))
    return [
        Difference(name, one, two)
        for name, one, two in pairs
        if one is None or two is None or (one.value, one.off) != (two.value, two.off)
    ]
