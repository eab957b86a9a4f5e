"""What a run judged by: its rules and its parameters, as the published file has them, ready to be judged again with changes.

Conditions and values are the run's own, also where a file of the county has been changed since; the files say what the run
does not store: of which kind a parameter is, and which parameters the facts of a rule rest on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any

from monitoring.language import Words
from monitoring.parameters import Content, Pack, Parameters, Value, kind_of, placeholder
from monitoring.rules import Rule, load_policy
from monitoring.rules.expressions import Expression, Scope, check_expression
from monitoring.rules.loading import parameter_kinds
from monitoring.strict_toml import Bilingual, PolicyError, Span
from monitoring.tables import SNAPSHOTS
from monitoring.warehouse import Warehouse

NONE_WORDS = ("无", "none")
OFF_WORDS = ("停用", "off")
YES_WORDS, NO_WORDS = ("是", "true", "yes"), ("否", "false", "no")


class CannotSimulate(ValueError):
    """A what-if that cannot be answered exactly, or cannot be read; `words` say why, all of it at once."""

    def __init__(self, words: str | Sequence[str]) -> None:
        self.words = [words] if isinstance(words, str) else list(words)
        super().__init__("；".join(self.words))


@dataclass(frozen=True)
class Judged:
    """One rule as the run had it; `parameters` (placeholders) are those that it or its facts name: one off disables it."""

    code: str
    kind: str
    subject: str
    record: str
    title: Bilingual
    clause: str
    expression: Expression
    parameters: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Ground:
    """One published run; `rules` are those that were in force, `others` those that the files hold beside them, `files`
    all rules as the files have them today."""

    warehouse: Warehouse
    period: str
    as_of: date
    pack: Pack
    packs: Mapping[str, Pack]
    parameters: Parameters
    kinds: Mapping[str, str]
    rules: Mapping[str, Judged]
    others: Mapping[str, Rule]
    files: Mapping[str, Rule]
    loaded: frozenset[str]

    @property
    def home(self) -> Path:
        return home_of(self.warehouse)


def home_of(warehouse: Warehouse) -> Path:
    """A published file lies in the folder `warehouse` of its home."""
    return warehouse.path.parents[1]


@lru_cache(maxsize=2)
def _policy(home: Path, _stamp: object) -> tuple[dict[str, Pack], dict[str, Rule]]:
    try:
        return load_policy(home if (home / "policy").is_dir() else None)
    except PolicyError as error:
        raise CannotSimulate(
            [Words("{complaint}（先用 buluo rules check 改正政策文件）", complaint=error.complaints[0].words)]
        ) from error


@lru_cache(maxsize=1000)
def _read(text: str, subject: str, kinds: tuple[tuple[str, str], ...]) -> tuple[Expression | None, tuple[str, ...]]:
    """A condition and the complaints about it: most rules read the same in every period."""
    wrong: list[str] = []
    found = check_expression(text, Scope(SNAPSHOTS[subject], dict(kinds)), lambda what, _right: wrong.append(what))
    return found, tuple(wrong)


def _ground(warehouse: Warehouse, stamp: object) -> Ground:
    home = home_of(warehouse)
    packs, files = _policy(home, stamp)
    run = warehouse.row("select period, as_of, pack from run")
    pack = packs.get(run["pack"])
    if pack is None:
        raise CannotSimulate(Words("本期用的政策包 {pack} 已经不在，不能测算；请先放回这个政策包", pack=run["pack"]))
    parameters = _parameters(warehouse, pack, run["as_of"], parameter_kinds(packs))
    kinds = {
        **parameter_kinds(packs),
        **{placeholder(name): kind_of(v.value) for name, v in parameters.items() if v.value},
    }
    rules: dict[str, Judged] = {}
    wrong: list[str] = []
    for row in warehouse.rows("select * from rule order by rule"):
        found = _rule(row, files.get(row["rule"]), run["as_of"], kinds, wrong)
        if found is not None:
            rules[found.code] = found
    if wrong:
        raise CannotSimulate(wrong)
    loaded = {row["feed"] for row in warehouse.rows("select feed from feed_snapshot where last_period is not null")}
    others = {code: rule for code, rule in files.items() if code not in rules and rule.in_force(run["as_of"])}
    return Ground(
        warehouse, run["period"], run["as_of"], pack, packs, parameters, kinds, rules, others, files, frozenset(loaded)
    )  # fmt: skip


_kept = lru_cache(maxsize=4)(_ground)


def ground(warehouse: Warehouse) -> Ground:
    """Raises CannotSimulate. The county's policy files are read again when one of them was changed."""
    return _kept(warehouse, _stamp(warehouse))


def ground_once(warehouse: Warehouse) -> Ground:
    """As `ground`, for a warehouse that is closed again: not remembered, so that it drives out nothing that is."""
    return _ground(warehouse, _stamp(warehouse))


def _stamp(warehouse: Warehouse) -> object:
    folder = home_of(warehouse) / "policy"
    return tuple(sorted((str(p), p.stat().st_mtime_ns) for p in folder.rglob("*.toml"))) if folder.is_dir() else ()


def _rule(
    row: Mapping[str, Any], file: Rule | None, as_of: date, kinds: Mapping[str, str], wrong: list[str]
) -> Judged | None:
    code = row["rule"]
    if row["subject"] not in SNAPSHOTS:  # the model's pointer: no condition
        return None
    expression, complaints = _read(row["when_text"], row["subject"], tuple(sorted(kinds.items())))
    wrong += [
        Words("规则 {code} 在本期的条件今天读不懂：{what}。请重新运行本期", code=code, what=what) for what in complaints
    ]
    if expression is None or complaints:
        return None
    version = file.in_force(as_of) if file else None
    named = (*expression.parameters, *(version.parameters if version else ()))
    return Judged(
        code, row["kind"], row["subject"], row["record"] or "", Bilingual(row["title_zh"], row["title_en"]),
        row["clause"], expression, tuple(dict.fromkeys(n for n in named if n in kinds)),
    )  # fmt: skip


def _parameters(warehouse: Warehouse, pack: Pack, as_of: date, kinds: Mapping[str, str]) -> Parameters:
    """The run's values; where the files say another one today, the run's counts."""
    now, values = pack.in_force(as_of), {}
    for row in warehouse.rows("select * from parameter"):
        name = row["name"]
        known = now.get(name)
        if known is None:
            text = Bilingual(row["meaning_zh"], row["meaning_en"]), Bilingual(row["unit"] or "", row["unit"] or "")
            known = Value(name, None, True, Span(), row["clause"], row["document"] or "", text[1], text[0], row["pack"])
        if (known.shown, known.off) != (row["value"], row["off"]):
            content = None if row["off"] else read_content(row["value"], kinds.get(placeholder(name), "number"))
            known = replace(known, value=content, off=row["off"], clause=row["clause"])
        values[name] = known
    return Parameters(pack, as_of, values)


def read_content(text: str, kind: str) -> Content:
    """A value from its words, as `show_content` writes them. Raises CannotSimulate."""
    said = text.strip()
    if said in NONE_WORDS:
        return None
    if kind == "flag":
        if said.lower() in YES_WORDS or said.lower() in NO_WORDS:
            return said.lower() in YES_WORDS
        raise CannotSimulate(Words("“{text}”不是“是”或“否”", text=text))
    if kind == "list":
        items = [item.strip() for item in said.replace("，", "、").replace(",", "、").split("、") if item.strip()]
        items = [] if said == "（空）" else items
        return tuple(int(item) if item.isdigit() else item for item in items)
    if kind == "text":
        return said
    try:
        number = Decimal(said.replace(",", ""))
    except InvalidOperation as error:
        raise CannotSimulate(Words("“{text}”不是数", text=text)) from error
    if not number.is_finite():
        raise CannotSimulate(Words("“{text}”不是有限的数", text=text))
    return number
