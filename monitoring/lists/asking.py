"""The filter of a risk list as one typed value, in all its forms: dataclass, JSON (kept lists), text (command line), words.

No text of anybody becomes SQL: fields are looked up, comparisons are one of a few, values are bound with the type of their
field. Unknown is a choice of its own: a comparison without it leaves rows undecided whose value is unknown, and the answer
counts them.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from monitoring.exporting.filters import parse_where
from monitoring.labels import UNIT_ZH
from monitoring.language import Language, Words
from monitoring.lists.fields import DEFAULT_COLUMNS, HOUSEHOLDS, SUBJECTS, Field, fields, public

COMPARISONS = {
    "yes_no": ("=", "!="), "text": ("=", "!=", "contains"), "set": ("=", "!="),
    "number": ("<", "<=", ">", ">=", "=", "!="), "date": ("<", "<=", ">", ">=", "=", "!="),
}  # fmt: skip
SAID = {"=": "为", "!=": "不为", "contains": "含有", "<": "低于", "<=": "不超过", ">": "超过", ">=": "不低于"}
SAID_OF_DATES = {"<": "早于", "<=": "不晚于", ">": "晚于", ">=": "不早于"}
UNKNOWN_WORDS, ALL_WORDS = ("不明", "unknown"), ("全部", "all")
_YES, _NO = ("是", "yes", "true", "1"), ("否", "no", "false", "0")
_MOST_CONDITIONS, _MOST_VALUES, _LONGEST = 30, 200, 100
Value = bool | Decimal | date | str


class NotAsked(ValueError):
    """The filter cannot be asked so; `words` hold every complaint."""

    def __init__(self, complaints: Sequence[str]) -> None:
        self.words = list(complaints)
        super().__init__("；".join(self.words))


@dataclass(frozen=True)
class Condition:
    """One condition: the field, the comparison, the values of which any fits, and whether unknown fits too. Without values
    `=` with unknown asks for the unknown ones only, `!=` with unknown for the known ones."""

    field: str
    comparison: str = "="
    values: tuple[str, ...] = ()
    unknown: bool = False

    @property
    def says_nothing(self) -> bool:
        """No value chosen is all values: no condition."""
        return not self.values and not self.unknown


@dataclass(frozen=True)
class Order:
    """Ordered by a field, upwards or downwards; unknown comes last in both."""

    field: str
    down: bool = False


@dataclass(frozen=True)
class Ask:
    """A whole list: of what, which conditions (all must hold), which columns, in which order."""

    subject: str = HOUSEHOLDS
    where: tuple[Condition, ...] = ()
    columns: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        return self.columns or DEFAULT_COLUMNS[self.subject]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple(one for one in self.where if not one.says_nothing)

    def json(self) -> str:
        """The form in which lists are kept and exports journalled."""
        return json.dumps(
            {
                "subject": self.subject,
                "where": [[c.field, c.comparison, list(c.values), c.unknown] for c in self.conditions],
                "columns": list(self.shown),
                "order": [[o.field, o.down] for o in self.order],
            },
            ensure_ascii=False,
        )


def ask_from_json(text: str) -> Ask:
    """A kept list again. Raises NotAsked."""
    try:
        raw = json.loads(text)
        ask = Ask(
            str(raw["subject"]),
            tuple(Condition(str(f), str(c), tuple(map(str, v)), bool(u)) for f, c, v, u in raw["where"]),
            tuple(map(str, raw["columns"])),
            tuple(Order(str(f), bool(d)) for f, d in raw["order"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise NotAsked(["保存的名单读不懂"]) from error
    check(ask, masked=False)
    return ask


def ask_from_text(subject: str, where: str | Sequence[str] | None = None, columns: str = "", order: str = "") -> Ask:
    """As the command line has it: `income_pc<600 AND township=石桥镇|青石镇|不明`, `township,village`, `income_pc:desc,village`.
    Raises NotAsked."""
    try:
        parsed = parse_where(where)
    except ValueError as error:
        raise NotAsked([error.args[0]]) from error
    conditions = []
    for one in parsed:
        parts = tuple(part.strip() for part in one.value.split("|"))
        if any(part.lower() in ALL_WORDS for part in parts):
            continue
        known = tuple(part for part in parts if part and part.lower() not in UNKNOWN_WORDS)
        operator = "!=" if one.operator == "<>" else one.operator
        # a blank value asks for blank cells, as everywhere on the command line: what is blank is not known
        conditions.append(Condition(one.column, operator, known, len(known) < len(parts)))
    shown = tuple(part.strip() for part in columns.split(",") if part.strip())
    orders = tuple(
        Order(part.strip().removesuffix(":desc"), part.strip().endswith(":desc"))
        for part in order.split(",")
        if part.strip()
    )
    ask = Ask(subject, tuple(conditions), shown, orders)
    check(ask, masked=False)
    return ask


def check(ask: Ask, masked: bool) -> None:
    """Raises NotAsked with everything that is wrong, each with what would be right."""
    if ask.subject not in SUBJECTS:
        raise NotAsked([Words("没有“{subject}”的名单：只有 household（户）、person（人）", subject=ask.subject)])
    known, wrong = fields(ask.subject), list[str]()

    def field_of(name: str, use: str) -> Field | None:
        found = known.get(name)
        if found is None:
            near = difflib.get_close_matches(name, known, n=1)
            hint = Words("，是否指 {near}（{field}）", near=near[0], field=_called(known[near[0]])) if near else ""
            wrong.append(Words("没有“{name}”这一项{hint}", name=name, hint=hint))
        elif use != "where" and not found.shown:
            wrong.append(Words("“{field}”只能用来筛选", field=_called(found)))
            return None
        elif use != "columns" and not public(found, masked):
            wrong.append(Words("“{field}”已隐去，不能用来筛选或排序", field=_called(found)))
            return None
        return found

    if len(ask.where) > _MOST_CONDITIONS:
        wrong.append(Words("条件最多 {most} 个", most=_MOST_CONDITIONS))
    for condition in ask.conditions:
        field = field_of(condition.field, "where")
        if field is not None:
            wrong += _complaints(field, condition)
    for name in ask.shown:
        field_of(name, "columns")
    if len(set(ask.shown)) < len(ask.shown):
        wrong.append("有一列写了两次")
    for order in ask.order:
        field_of(order.field, "order")
    if wrong:
        raise NotAsked(wrong)


def _called(field: Field) -> tuple[str, str]:
    return field.zh, field.en


def _complaints(field: Field, condition: Condition) -> list[str]:
    if condition.comparison not in COMPARISONS[field.kind]:
        can = list(COMPARISONS[field.kind])
        return [
            Words(
                "“{field}”不能用 {comparison} 比较，可以用 {can}",
                field=_called(field),
                comparison=condition.comparison,
                can=can,
            )
        ]
    if field.kind == "set" and condition.unknown:
        return [Words("“{field}”没有不明；判断不了的用 rule_unknown", field=_called(field))]
    if condition.comparison not in ("=", "!=") and len(condition.values) != 1:
        return [Words("“{field} {comparison}”后面要一个值", field=_called(field), comparison=condition.comparison)]
    if len(condition.values) > _MOST_VALUES:
        return [Words("“{field}”最多写 {most} 个值", field=_called(field), most=_MOST_VALUES)]
    wrong = []
    for text in condition.values:
        try:
            value_of(field, text)
        except ValueError as error:
            wrong.append(error.args[0])
    return wrong


def value_of(field: Field, text: str) -> Value:
    """A value with the type of its field. Raises ValueError in words."""
    if len(text) > _LONGEST:
        raise ValueError(Words("“{field}”的值太长", field=_called(field)))
    if field.kind == "yes_no":
        if text.lower() in _YES or text.lower() in _NO:
            return text.lower() in _YES
        raise ValueError(Words("“{field}”是“是”或“否”（或“不明”），不是“{text}”", field=_called(field), text=text))
    if field.kind == "number":
        try:
            number = Decimal(text.replace(",", "").replace("，", ""))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) >= 10**12:
            raise ValueError(Words("“{field}”要写数字，不是“{text}”", field=_called(field), text=text))
        return number
    if field.kind == "date":
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(
                Words("“{field}”要写日期，如 2026-11-30，不是“{text}”", field=_called(field), text=text)
            ) from None
    return text


def in_words(ask: Ask, t: Language, names: dict[str, dict[str, str]] | None = None) -> str:
    """What was asked for, as a person says it. `names`: field -> value -> its name (rules by title)."""
    told = [_words(one, fields(ask.subject)[one.field], t, (names or {}).get(one.field, {})) for one in ask.conditions]
    return t.clauses(told) if told else t("没有条件：全部")


def _words(condition: Condition, field: Field, t: Language, names: dict[str, str]) -> str:
    said = SAID_OF_DATES.get(condition.comparison) if field.kind == "date" else None
    values = [t(names.get(value, value)) for value in condition.values]
    if condition.unknown:
        values.append(t("不明"))
    unit = t(UNIT_ZH[field.unit]) if field.unit in UNIT_ZH and condition.values else ""
    either = t("或").join(values)
    return t("{field} {comparison} {value}", field=t.pick(field.zh, field.en), comparison=t(said or SAID[condition.comparison]),
             value=f"{either} {unit}".strip())  # fmt: skip
