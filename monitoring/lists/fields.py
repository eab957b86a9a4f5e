"""What a risk list can ask for and show: the snapshots' documented columns, the signals, the open alert, the score.

Each field has its SQL over the relation that `monitoring.queries.risk_lists` builds (`h` the snapshot, `p` the head, `q` the
person's household, `s` signals, `c` the open alert, `k` the score), its mask, and whether it hides a person: a hidden field
cannot be filtered or ordered by while the list is masked, since that would tell, guess by guess, what the mask hides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from monitoring.tables import HOUSEHOLD, PERSON, Column

HOUSEHOLDS, PERSONS = "household", "person"
SUBJECTS = {HOUSEHOLDS: "户", PERSONS: "人"}
KINDS = ("yes_no", "number", "date", "text", "set")


@dataclass(frozen=True)
class Field:
    """One field. `kind` decides its comparisons; `needs` the joins that it reads; `mask` how it is shown while masked; a `set`
    is asked for by membership only and is no column of the list."""

    name: str
    zh: str
    en: str
    kind: str
    sql: str
    unit: str = ""
    mask: str = ""  # household, name, names, number, birth, runs, hidden; "" is shown as it is
    needs: tuple[str, ...] = ()
    coded: bool = False  # a text of few different values, offered to choose from

    @property
    def hidden(self) -> bool:
        return bool(self.mask)

    @property
    def shown(self) -> bool:
        return self.kind != "set"


# Columns that hold something of a person, and how it is shown while masked.
_MASKS = {
    "household_id": "household", "number": "number", "name": "name", "birth_date": "birth", "other_names": "names",
    "responsible": "names", "household_numbers": "hidden", "certificate_numbers": "hidden", "plates": "hidden",
    "business_names": "hidden",
}  # fmt: skip
_KEYS = {"household_key", "head_person_id", "person_id"}
_CODED = {
    "township", "village", "income_source", "monitored_kind", "dwelling_grade", "renovation", "dibao_class", "sex", "relation",
    "labour", "health", "disability_kind", "insurance_status", "stage", "care_categories", "support_form", "self_care",
}  # fmt: skip


def _kind(column: Column) -> str:
    if column.type == "BOOLEAN":
        return "yes_no"
    return "date" if column.type == "DATE" else "text" if column.type == "VARCHAR" else "number"


def _of(table: Mapping[str, Column], alias: str, needs: tuple[str, ...] = ()) -> dict[str, Field]:
    return {
        name: Field(name, column.zh, column.en, _kind(column), f'{alias}."{name}"', column.unit, _MASKS.get(name, ""), needs, name in _CODED)
        for name, column in table.items() if name not in _KEYS
    }  # fmt: skip


_ABOUT = {
    "level": Field("level", "最高等级", "highest level", "text", "coalesce(s.level, 'none')", needs=("s",), coded=True),
    "signals": Field("signals", "信号条数", "signals", "number", "coalesce(s.signals, 0)", needs=("s",)),
    "rules": Field("rules", "命中的规则", "rules that hit", "text", "coalesce(s.rules, '')", needs=("s",)),
    "reasons": Field("reasons", "原因", "reasons", "text", "coalesce(s.reasons, '')", mask="reasons", needs=("s",)),
    "alert": Field("alert", "预警办理", "open alert", "text", "coalesce(c.status, 'none')", needs=("c",), coded=True),
    "score": Field("score", "风险评分", "risk score", "number", "k.score", needs=("k",)),
    "rule": Field("rule", "命中规则", "rule hit", "set", "rule"),
    "rule_unknown": Field("rule_unknown", "规则判断不了", "rule that could not judge", "set", "rule_unknown"),
    "rule_before": Field("rule_before", "上期命中规则", "rule hit last period", "set", "rule_before"),
    "kind": Field("kind", "信号种类", "kind of signal", "set", "kind"),
    "department": Field("department", "信号的责任部门", "department of the signal", "set", "department"),
}


@cache
def fields(subject: str) -> dict[str, Field]:
    """The fields of a list of households or of persons, by name, in the order in which they are offered."""
    if subject == HOUSEHOLDS:
        own = _of(HOUSEHOLD, "h")
        head = {
            "head_name": Field("head_name", "户主姓名", "head's name", "text", "p.name", mask="name", needs=("p",)),
            "head_number": Field(
                "head_number", "户主证件号码", "head's number", "text", "p.number", mask="number", needs=("p",)
            ),
        }
        first = {name: own.pop(name) for name in ("township", "village", "household_id")}
        return {**first, **head, **_ABOUT, **own}
    own = _of(PERSON, "h")
    first = {name: own.pop(name) for name in ("township", "village", "household_id", "name", "number", "age", "sex")}
    family = {
        name: field for name, field in _of(HOUSEHOLD, "q", ("q",)).items() if name not in own and name not in first
    }
    return {**first, **_ABOUT, **own, **family}


DEFAULT_COLUMNS = {
    HOUSEHOLDS: ("township", "village", "household_id", "head_name", "size", "income_pc", "level", "reasons", "alert"),
    PERSONS: ("township", "village", "household_id", "name", "number", "age", "level", "reasons", "alert"),
}


def public(field: Field, masked: bool) -> bool:
    """Whether a list may be filtered or ordered by it."""
    return not (masked and field.hidden)


def title(field: Field, lang: str) -> str:
    return field.en if lang == "en" else field.zh


Values = Mapping[str, Any]
