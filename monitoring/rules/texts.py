"""DuckDB expressions for what a signal says: its level, its evidence (JSON) and its sentence.

All are plain concatenations: over 300,000 rows that took 0.1 s for the longest evidence and 0.05 s for a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter

from monitoring.parameters import Content, Parameters, Value, plain_number, show_content
from monitoring.rules.binding import Values, bind, to_sql
from monitoring.rules.expressions import column_family
from monitoring.rules.model import LEVELS, Version
from monitoring.rules.sentences import DAYS, Sentence, Slot
from monitoring.tables import NOT_COMPARED, Column

_UNKNOWN = {"zh": "不明", "en": "unknown"}
_YES_NO = {"zh": ("是", "否"), "en": ("yes", "no")}


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def by_level(version: Version, values: Values, chosen: Mapping[str, str]) -> str:
    """The choice (an SQL expression a level) for the level of a row: the first condition that is true, else the rule's."""
    otherwise = chosen[version.level]
    if not version.level_when:
        return otherwise
    branches = " ".join(
        f"WHEN {to_sql(bind(expression, values))} THEN {chosen[level]}" for level, expression in version.level_when
    )
    return f"CASE {branches} ELSE {otherwise} END"


def evidence_sql(
    shown: Iterable[str],
    parameters: Iterable[Value],
    columns: Mapping[str, Column],
    settled: Mapping[str, str | bool],
    absent: Iterable[str] = (),
) -> str:
    """A JSON object of a row that is hit: every column shown (null kept), its companions where known, then the parameters and
    the feeds that could not be compared.

    What the condition has settled where it is true need not be read."""
    shown = list(shown)
    seen = set(shown)
    entries: list[tuple[bool, str]] = []  # whether it is SQL, and what it is; each entry begins with a comma
    for name in shown:
        entries.append((False, f", {json.dumps(name)}: "))
        if name in settled:
            entries.append((False, json.dumps(settled[name], ensure_ascii=False)))
        else:
            entries.append((True, f"coalesce({_json_value(name, columns[name])}, 'null')"))
        for beside in columns[name].companions:
            if beside not in seen:
                seen.add(beside)
                told = f"coalesce({quoted(f', {json.dumps(beside)}: ')} || {_json_value(beside, columns[beside])}, '')"
                entries.append((True, told))
    read = {f"${value.name}": _json_content(value.value) for value in parameters}
    if feeds := "、".join(sorted(absent)):
        read[NOT_COMPARED] = json.dumps(feeds, ensure_ascii=False)
    entries += [(False, f", {json.dumps(name, ensure_ascii=False)}: {value}") for name, value in read.items()]
    (_, first), *rest = [*entries, (False, "}")]
    parts: list[str] = []
    for sql, same in groupby([(False, "{" + first.removeprefix(", ")), *rest], key=itemgetter(0)):
        texts = [text for _, text in same]
        parts += texts if sql else [quoted("".join(texts))]
    return f"concat({', '.join(parts)})"


def _json_content(content: Content) -> str:
    if isinstance(content, bool) or content is None or isinstance(content, str | tuple):
        return json.dumps(content, ensure_ascii=False)
    return plain_number(content)


def _json_value(name: str, column: Column) -> str:
    """JSON text of a column's value, NULL where it is NULL."""
    family = column_family(column)
    if family == "text":
        return f'to_json("{name}")::VARCHAR'
    if family == "date":
        return f"""('"' || "{name}"::VARCHAR || '"')"""
    return _plain(f'"{name}"', column.type)


def _plain(expression: str, type_: str) -> str:
    """Text of a number or boolean, decimals without trailing zeros."""
    scale = int(type_.rstrip(")").split(",")[1]) if type_.startswith("DECIMAL(") else 0
    text = f"{expression}::VARCHAR"
    return f"regexp_replace({text}, '\\.?0+$', '')" if scale else text


def message_sql(
    sentence: Sentence,
    lang: str,
    version: Version,
    parameters: Parameters,
    values: Values,
    columns: Mapping[str, Column],
) -> str:
    pieces: list[str] = []
    plain = ""
    for piece in sentence.pieces:
        if isinstance(piece, str):
            plain += piece
        elif piece.parameter:
            plain += _told_parameter(piece, lang, parameters)
        elif piece.name == DAYS and not version.level_when:
            plain += _days(version.level, lang, parameters)
        else:
            limits = {level: quoted(_days(level, lang, parameters)) for level in LEVELS}
            told = (
                by_level(version, values, limits)
                if piece.name == DAYS
                else _told_column(piece, lang, columns[piece.name])
            )
            pieces += [quoted(plain), told] if plain else [told]
            plain = ""
    pieces += [quoted(plain)] if plain else []
    return f"concat({', '.join(pieces)})"


def _days(level: str, lang: str, parameters: Parameters) -> str:
    value = parameters[f"alert.working_days_{level}"]
    return show_content(value.value) if value.value is not None else _UNKNOWN[lang]


def _told_parameter(slot: Slot, lang: str, parameters: Parameters) -> str:
    content = parameters.by_placeholder[slot.name].value
    if isinstance(content, bool):
        return (slot.choices or _YES_NO[lang])[0 if content else 1]
    if slot.style == "%" and content is not None and not isinstance(content, str | tuple):
        return plain_number(content * 100) + "%"
    return show_content(content)


def _told_column(slot: Slot, lang: str, column: Column) -> str:
    """SQL for a column's value as people write it: two decimals at most, 是/否, 不明 where it is not known."""
    name, family = f'"{slot.name}"', column_family(column)
    choices = slot.choices
    if family == "flag":
        yes, no, *unknown = choices or _YES_NO[lang]
        otherwise = unknown[0] if unknown else _UNKNOWN[lang]
        return f"CASE WHEN {name} THEN {quoted(yes)} WHEN NOT {name} THEN {quoted(no)} ELSE {quoted(otherwise)} END"
    text = _told_value(slot, name, family, column)
    if choices:
        before, _, after = choices[0].partition("#")
        text = " || ".join(
            part for part in (quoted(before) if before else "", text, quoted(after) if after else "") if part
        )
    return f"coalesce({text}, {quoted(choices[1] if len(choices) > 1 else _UNKNOWN[lang])})"


def _told_value(slot: Slot, name: str, family: str, column: Column) -> str:
    if family == "number":
        if slot.style == "%":
            return f"{_plain(f'({name} * 100)::DECIMAL(18,1)', 'DECIMAL(18,1)')} || '%'"
        decimal = column.type.startswith("DECIMAL")
        return _plain(f"{name}::DECIMAL(18,2)", "DECIMAL(18,2)") if decimal else _plain(name, column.type)
    return f"strftime({name}, '%Y-%m')" if slot.style == "month" else f"{name}::VARCHAR"
