"""A scenario: which parameters stand otherwise, which rules are off or read otherwise, why, and under which name.

It is a TOML file that can be kept (HOME/scenarios/NAME.toml) and asked again next month:

    title = "农村标准提到 680 元"
    why = "二季度提标测算"
    [set]
    "dibao.standard_rural" = "680"
    [rules]
    off = ["GAP-RIGID"]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from monitoring.language import Words
from monitoring.parameters import Parameters, Value, placeholder, show_content
from monitoring.rules.expressions import Expression, Scope, check_expression
from monitoring.simulating.ground import OFF_WORDS, CannotSimulate, Ground, Judged, read_content
from monitoring.strict_toml import Complaint, did_you_mean, read_toml
from monitoring.tables import SNAPSHOTS

NAME = re.compile(r"[\w-]{1,40}")
# Counts of months, days, years and homes.
WHOLE = frozenset(
    [
        "dibao.exit_months",
        "tekun.minor_age",
        "aid.follow_up_days",
        "property.max_homes",
        "review.months_a",
        "review.months_b",
        "review.months_c",
        "visit.days_tekun",
        "visit.days_care",
        "visit.days_monitored",
    ]
)
FLAGS_NEEDED = frozenset(
    [
        "income.deduct_employment_cost",
        "income.deduct_rigid",
        "income.exclude_basic_pension",
        "illness.needs_medical_aid",
    ]
)
STANDARDS = frozenset(("dibao.standard_rural", "dibao.standard_urban"))
WORKING_DAYS = "alert.working_days_"  # they move due dates, nobody's outcome
LONGEST = 200


@dataclass(frozen=True)
class Scenario:
    """`sets` are (parameter, value in words); `pack` puts a whole other pack in the place of the run's; `tries` are
    (rule, condition) that are to be tried. Empty: the run as it was."""

    title: str = ""
    why: str = ""
    pack: str = ""
    sets: tuple[tuple[str, str], ...] = ()
    off: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    tries: tuple[tuple[str, str], ...] = ()

    def told(self) -> list[str]:
        """What is changed, as the command line writes it."""
        return [
            *([f"pack={self.pack}"] if self.pack else []),
            *(f"{name}={value}" for name, value in self.sets),
            *(f"-{code}" for code in self.off),
            *(f"+{code}" for code in self.on),
        ]


@dataclass(frozen=True)
class World:
    """What is judged by: parameters, and of each rule its condition (None: off, or disabled by a parameter)."""

    parameters: Parameters
    rules: Mapping[str, tuple[Judged, Expression | None]]


def run_world(ground: Ground) -> World:
    return _world(ground, ground.parameters, {}, frozenset(), frozenset())


def world(ground: Ground, scenario: Scenario) -> World:
    """The scenario's world. Raises CannotSimulate with all that is wrong."""
    wrong: list[str] = []
    values = dict(ground.parameters)
    if scenario.pack:
        if scenario.pack not in ground.packs:
            hint = did_you_mean(scenario.pack, ground.packs)
            raise CannotSimulate(
                Words(
                    "没有政策包 {pack}{hint}；可用的有 {known}", pack=scenario.pack, hint=hint, known=list(ground.packs)
                )
            )
        values = dict(ground.packs[scenario.pack].in_force(ground.as_of))
    for name, text in scenario.sets:
        try:
            values[name] = changed_value(ground, values, name, text)
        except CannotSimulate as refusal:
            wrong += refusal.words
    tries = {}
    for code, text in scenario.tries:
        rule = ground.rules.get(code)
        if rule is None:
            wrong.append(Words("本期没有规则 {code}{hint}", code=code, hint=did_you_mean(code, ground.rules)))
            continue
        scope = Scope(SNAPSHOTS[rule.subject], ground.kinds)
        expression = check_expression(
            text, scope, lambda what, right: wrong.append(Words("{what}。应为：{right}", what=what, right=right))
        )
        if expression is not None:
            tries[code] = expression
    for code in (*scenario.off, *scenario.on):
        if code not in ground.rules and code not in ground.others:
            wrong.append(
                Words("没有规则 {code}{hint}", code=code, hint=did_you_mean(code, {**ground.rules, **ground.others}))
            )
    if wrong:
        raise CannotSimulate(wrong)
    pack = ground.packs[scenario.pack] if scenario.pack else ground.pack
    made = _world(
        ground, Parameters(pack, ground.as_of, values), tries, frozenset(scenario.off), frozenset(scenario.on)
    )
    for code in scenario.on:
        if made.rules[code][1] is None and code not in scenario.off:
            rule = made.rules[code][0]
            lacking = [n for n in rule.parameters if _is_off(made.parameters, n)]
            wrong.append(
                Words("规则 {code} 打不开：参数 {known} 停用着，请同时给出它的值", code=code, known=list(lacking))
            )
    if wrong:
        raise CannotSimulate(wrong)
    return made


def choices_of(ground: Ground, name: str) -> list[str]:
    """The values that rules know of a parameter that is a word: those that any pack gives it."""
    return sorted({str(v.value) for pack in ground.packs.values() for v in pack.values(name) if v.value})


def changed_value(ground: Ground, values: Mapping[str, Value], name: str, text: str) -> Value:
    """A parameter with another value, refused where a run with it would be refused or where nobody can say what it does."""
    if name not in values:
        raise CannotSimulate(Words("政策包里没有参数 {name}{hint}", name=name, hint=did_you_mean(name, values)))
    kind, known = ground.kinds.get(placeholder(name), "number"), values[name]
    if text.strip().lower() in OFF_WORDS:
        if name in FLAGS_NEEDED | STANDARDS or name.startswith(WORKING_DAYS):
            raise CannotSimulate(Words("参数 {name} 不能停用：事实或金额要用它来算，停用后算不出来", name=name))
        return replace(known, value=None, off=True)
    try:
        content = read_content(text, kind)
    except CannotSimulate as refusal:
        raise CannotSimulate(Words("{name} = {why}", name=name, why=refusal.words[0])) from refusal
    if content is None and (name in WHOLE | FLAGS_NEEDED | STANDARDS or kind in ("list", "text")):
        raise CannotSimulate(Words("参数 {name} 须有一个值", name=name))
    if kind == "number" and content is not None:
        if content < 0:  # type: ignore[operator]
            raise CannotSimulate(Words("{name} = {text} 小于 0", name=name, text=text))
        if (name in WHOLE or name == "property.recent_home_years") and content != int(content):  # type: ignore[arg-type]
            raise CannotSimulate(Words("{name} = {text} 须是整数", name=name, text=text))
    if kind == "text":
        choices = choices_of(ground, name)
        if content not in choices:
            raise CannotSimulate(
                Words("{name} = {text} 没有规则认得；取 {known} 之一", name=name, text=text, known=list(choices))
            )
    if name == "disability.severe_extra_grades" and not all(isinstance(item, int) for item in content or ()):  # type: ignore[union-attr]
        raise CannotSimulate(Words("{name} 须是残疾等级，如 3、4", name=name))
    return replace(known, value=content, off=False)


def _world(
    ground: Ground, parameters: Parameters, tries: Mapping[str, Expression], off: frozenset[str], on: frozenset[str]
) -> World:
    rules: dict[str, tuple[Judged, Expression | None]] = {}
    judged = dict(ground.rules)
    for code in sorted(on - judged.keys()):
        judged[code] = _from_file(ground, code)
    for code, rule in judged.items():
        expression = tries.get(code, rule.expression)
        named = {*rule.parameters, *expression.parameters}
        idle = code in off or any(_is_off(parameters, name) for name in named)
        rules[code] = (rule, None if idle else expression)
    return World(parameters, rules)


def _from_file(ground: Ground, code: str) -> Judged:
    rule = ground.others[code]
    version = rule.in_force(ground.as_of) or rule.latest
    return Judged(code, rule.kind, rule.subject, rule.record, rule.title, "", version.when, version.parameters)


def _is_off(parameters: Parameters, name: str) -> bool:
    found = parameters.by_placeholder.get(name)
    return found is None or found.off


# --- the file


def read_scenario(path: Path) -> Scenario:
    """Reads strictly; raises CannotSimulate with every complaint."""
    complaints: list[Complaint] = []
    table = read_toml(path, complaints)
    if table is None:
        raise CannotSimulate([complaint.words for complaint in complaints])
    title, why = table.text("title"), table.text("why", required=False)
    pack = table.text("pack", required=False)
    sets = _pairs(table.raw("set"), lambda wrong: table.complain(wrong, '"dibao.standard_rural" = "680"', "set"))
    rules = table.raw("rules") or {}
    if not isinstance(rules, dict) or not set(rules) <= {"off", "on"}:
        table.complain("[rules] 里只能写 off 和 on", 'off = ["GAP-RIGID"]', "rules")
        rules = {}
    table.close()
    if complaints:
        raise CannotSimulate([complaint.words for complaint in complaints])
    return Scenario(title, why, pack, sets, _codes(rules.get("off")), _codes(rules.get("on")))


def _pairs(found: Any, complain: Any) -> tuple[tuple[str, str], ...]:
    if found is None:
        return ()
    if not isinstance(found, dict):
        complain("[set] 须是“参数 = 值”的表")
        return ()
    pairs = []
    for name, value in found.items():
        if isinstance(value, dict):
            complain(Words("{name} 的名称里有点号，要加引号", name=name))
            continue
        content = tuple(value) if isinstance(value, list) else value
        pairs.append((name, content if isinstance(content, str) else show_content(_plain(content))))
    return tuple(pairs)


def _plain(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _codes(found: Any) -> tuple[str, ...]:
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(code, str) for code in found):
        raise CannotSimulate("[rules] 的 off、on 须是规则代码的列表")
    return tuple(found)


def scenario_text(scenario: Scenario) -> str:
    """The scenario as the text of its file."""
    lines = [f"title = {_quoted(scenario.title)}", f"why = {_quoted(scenario.why)}"]
    lines += [f"pack = {_quoted(scenario.pack)}"] if scenario.pack else []
    lines += ["", "[set]", *(f"{_quoted(name)} = {_quoted(value)}" for name, value in scenario.sets)]
    lines += ["", "[rules]", *(f"{key} = [{', '.join(map(_quoted, codes))}]" for key, codes in
                               (("off", scenario.off), ("on", scenario.on)) if codes)]  # fmt: skip
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML string: JSON's are, but for the one control character that JSON leaves as it is."""
    return json.dumps(text.replace("\x7f", ""), ensure_ascii=False)


def parse_sets(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`NAME=VALUE` of the command line. Raises CannotSimulate."""
    pairs = []
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise CannotSimulate(Words("“{text}”读不懂；写作 参数=值，如 dibao.standard_rural=650", text=text))
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)
