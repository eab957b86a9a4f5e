"""Policy packs: reads `data/policy/packs/*.toml` and HOME/policy/packs/*.toml (add or replace by file name).

The file name is the pack's name. All complaints of all files are raised together, as one `PolicyError`: a value
without a clause, two values of one parameter that overlap in time, unknown keys, an unknown pack in `extends`, circles,
kinds of value that differ between packs, and parameters that the program reads and a pack lacks.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from monitoring.language import Words
from monitoring.parameters import CITED, Content, Difference, Pack, Parameters, Value, diff, kind_of, placeholder
from monitoring.strict_toml import (
    Bilingual,
    Complaint,
    PolicyError,
    Table,
    complain_of_overlaps,
    did_you_mean,
    policy_files,
    read_toml,
)

__all__ = ["Difference", "Pack", "Parameters", "PolicyError", "Value", "diff", "load_packs", "read_packs"]

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "policy"
REFERENCE = "national-2020"  # its parameters are those that the program reads: no pack may lack one


def load_packs(home: Path | None = None) -> dict[str, Pack]:
    """All packs by name; raises `PolicyError` with every complaint of every file."""
    complaints: list[Complaint] = []
    packs = read_packs(home, complaints)
    if complaints:
        raise PolicyError(complaints)
    return packs


def read_packs(home: Path | None, complaints: list[Complaint]) -> dict[str, Pack]:
    """All packs that could be read; what is wrong is added to `complaints`."""
    tables: dict[str, Table] = {}
    paths = policy_files("packs", SHIPPED, home)
    for name, path in paths.items():
        table = read_toml(path, complaints)
        if table is not None:
            tables[name] = table
    documents = {
        str(t.content.get("short")): str(t.content.get("document", "")) for t in tables.values() if t.has("short")
    }
    packs: dict[str, Pack] = {}
    for name, above in _parents(tables).items():
        packs[name] = _read_pack(paths[name], tables[name], packs.get(above or ""), documents)
    _check_together(packs, complaints)
    return packs


def _parents(tables: dict[str, Table]) -> dict[str, str | None]:
    """Who extends whom, the extended first. An unknown pack or a circle is a complaint; the reference stands in for it."""
    stand_in = REFERENCE if REFERENCE in tables else None
    parents: dict[str, str | None] = {}
    for name, table in tables.items():
        extended = table.text("extends", required=False) or None
        if extended is not None and extended not in tables:
            hint = did_you_mean(extended, tables)
            table.complain(
                Words("extends = {extended} 没有这个政策包{hint}", extended=repr(extended), hint=hint),
                Words("取 {known} 之一", known=list(tables)),
            )
            extended = stand_in
        parents[name] = extended
    for name, table in tables.items():
        trail = [name]
        while (above := parents[trail[-1]]) is not None and above not in trail:
            trail.append(above)
        if above == name:
            table.complain(Words("extends 成环：{known}", known=" → ".join([*trail, name])), "去掉其中一个 extends")
            parents[name] = None if stand_in in trail else stand_in
    order: dict[str, str | None] = {}
    while len(order) < len(parents):
        order |= {name: above for name, above in parents.items() if above is None or above in order}
    return order


def _read_pack(path: Path, table: Table, parent: Pack | None, documents: dict[str, str]) -> Pack:
    title = table.bilingual("title") or Bilingual("", "")
    document, short = table.text("document", required=False), table.text("short", required=False)
    if bool(document) != bool(short):
        table.complain("document 与 short 只写了一个", "两个都写，或都不写（自身没有文件的政策包）")
    inherited = {n: parent.values(n)[0] for n in parent.names()} if parent else {}
    own: dict[str, tuple[Value, ...]] = {}
    for entry in table.tables("parameter", required=parent is None):
        parameter = entry.text("name")
        entry.where = parameter or entry.where
        known = inherited.get(parameter)
        unit = entry.bilingual("unit", required=False) or (known.unit if known else None)
        meaning = entry.bilingual("meaning", required=False) or (known.meaning if known else None)
        if parameter and (unit is None or meaning is None):
            hint = did_you_mean(parameter, inherited)
            entry.complain(
                Words("参数 {parameter} 缺 unit 或 meaning{hint}", parameter=parameter, hint=hint),
                "新参数须写 unit 和 meaning；上级政策包已有的参数可省略",
            )
        values = _read_values(
            path.stem, parameter, entry, unit or Bilingual("", ""), meaning or Bilingual("", ""), documents
        )
        if parameter in own:
            entry.complain(
                Words("参数 {parameter} 写了两次", parameter=parameter),
                "合并为一个 [[parameter]]，用 [[parameter.value]] 分日期",
            )
        if parameter:
            own[parameter] = values
        entry.close()
    table.close()
    return Pack(path.stem, title, document, short, parent, path, own, documents)


def _read_values(
    pack: str, name: str, entry: Table, unit: Bilingual, meaning: Bilingual, documents: dict[str, str]
) -> tuple[Value, ...]:
    tables = entry.tables("value", label="value")
    values = []
    for table in tables:
        off, none, content = table.flag("off"), table.flag("none"), _content(table)
        if off + none + table.has("value") != 1:
            table.complain(
                "value、off、none 须恰好写一个", "value = 500，或 off = true（停用），或 none = true（没有上限）"
            )
        span = table.span()
        table.where = f"{table.where}（{span}）"
        clause = table.text("clause")
        cited = CITED.match(clause)
        document = documents.get(cited[1], "") if cited else ""
        note = table.text("note", required=False)
        values.append(Value(name, content, off, span, clause, document, unit, meaning, pack, note))
        table.close()
    complain_of_overlaps(tables, [value.span for value in values], "取值")
    return tuple(values)


def _content(table: Table) -> Content:
    found = table.raw("value")
    if found is None or isinstance(found, bool | str):
        return found
    if isinstance(found, int | Decimal):
        number = Decimal(found)
        if not number.is_finite():
            table.complain(Words("value = {found} 不是有限的数", found=found), "普通数字，如 500 或 1.5")
        return number
    if isinstance(found, list) and all(isinstance(item, int | str) and not isinstance(item, bool) for item in found):
        return tuple(found)
    table.complain(
        Words("value = {found} 的类型不能用", found=repr(found)), "数字、文字、true/false，或由整数或文字组成的列表"
    )
    return None


def _check_together(packs: dict[str, Pack], complaints: list[Complaint]) -> None:
    """What only shows across packs: kinds that differ, names that look alike in expressions, parameters that lack."""
    kinds: dict[str, tuple[str, str]] = {}
    spelled: dict[str, str] = {}
    for pack in packs.values():
        for name, values in pack.own.items():
            other = spelled.setdefault(placeholder(name), name)
            if other != name:
                complaints.append(
                    Complaint(
                        pack.file.name,
                        name,
                        Words(
                            "在规则中与 {other} 写法相同（${placeholder}）", other=other, placeholder=placeholder(name)
                        ),
                        "换一个名称",
                    )
                )
            for value in values:
                kind = kind_of(value.value)
                first, where = kinds.setdefault(name, (kind, pack.name)) if kind else (kind, "")
                if kind != first:
                    complaints.append(
                        Complaint(
                            pack.file.name,
                            f"{name}（{value.span}）",
                            Words("取值类型 {kind} 与 {where} 的 {first} 不同", kind=kind, where=where, first=first),
                            Words("{first} 类型的值", first=first),
                        )
                    )
    needed = packs[REFERENCE].names() if REFERENCE in packs else set()
    for pack in packs.values():
        for name in sorted(needed - pack.names()):
            complaints.append(
                Complaint(
                    pack.file.name,
                    name,
                    "缺少这个参数",
                    Words('写上它的值和 clause，或 extends = "{pack}"', pack=REFERENCE),
                )
            )
