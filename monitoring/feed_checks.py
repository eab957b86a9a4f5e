"""The checks of a feed file before anything is built from it: every key known, every reference good.

Nothing is raised here: complaints are collected, so that one run of the loader shows all of them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

TYPES = ("name", "id", "date", "month", "year", "amount", "count", "yesno", "code", "codes", "phone", "text")
_COLUMN = {
    "name": str, "heading": str, "type": str, "aliases": list, "codes": dict, "number": bool, "unit": str,
    "opposite": list, "first_filled": list, "not_listed": list,
}  # fmt: skip
_FEED = {
    "title": str, "department": str, "row": str, "kind": str, "by_township": bool, "key": list, "required": list,
    "columns": list, "without": list, "subject": str, "aliases": dict, "layout": list, "absent": list,
}  # fmt: skip
_LAYOUT = {
    "name": str, "kind": str, "required": list, "constants": dict, "from_name": dict, "same_as": dict, "aliases": dict,
    "columns": list, "present": list, "absent": list, "one_of": list, "signs": list,
    "split": dict, "refused": str,
}  # fmt: skip
_SPLIT = {"into": str, "parts": dict, "total": str}
_KINDS = {str: "文字", list: "列表", dict: "表", bool: "true 或 false"}


class Complaints:
    """A list of complaints that all views of it share; `at(file)` is a view that names the file."""

    def __init__(self, found: list[str] | None = None, where: str = "") -> None:
        self.all: list[str] = [] if found is None else found
        self.where = where

    def at(self, where: str) -> Complaints:
        return Complaints(self.all, where)

    def say(self, wrong: str, right: str) -> None:
        self.all.append(f"{self.where}：{wrong}；{right}。")


def check_feed(feed_id: str, raw: Mapping[str, Any], at: Complaints) -> None:
    """The feed's own keys and columns. Layouts and aliases are checked when the shared columns are known."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", feed_id):
        at.say(f"文件名“{feed_id}”不能作台账代号", "只用小写英文字母、数字和下划线")
    if not _keys(raw, _FEED, ("title", "department", "row", "kind", "required", "columns"), "", at):
        return
    if raw["kind"] not in ("state", "event"):
        at.say(f"kind 写成了 {raw['kind']!r}", "应为 state 或 event")
    if raw.get("subject", "person") not in ("person", "institution"):
        at.say(f"subject 写成了 {raw['subject']!r}", "应为 person 或 institution")
    if (raw["kind"] == "event") != ("key" in raw):
        at.say("event 台账要有 key，state 台账不能有", '例如 key = ["person", "…"]，或 key = ["*"]')
    if not raw["required"]:
        at.say("required 是空的", "至少要有一列必填")
    check_columns(raw["columns"], at)
    names = [str(c.get("name")) for c in raw["columns"] if isinstance(c, dict)]
    shared = {"name", "id_number", "head_name", "head_id_number", "relation", "township", "village", "sex",
              "birth_date", "phone"}  # fmt: skip
    for unknown in sorted(set(raw.get("without", ())) - shared):
        at.say(f"without 里的 {unknown} 不是共用列", f"应为 {'、'.join(sorted(shared))} 之一")
    there = (shared - set(raw.get("without", ()))) | set(names)
    for key in ("required", "key"):
        for name in raw.get(key, ()):
            if name not in there and not (key == "key" and name in ("person", "*")):
                at.say(f"{key} 里的 {name} 不是这个台账的列", _near(name, there))


def check_columns(raw: Any, at: Complaints) -> None:
    seen = set()
    if not isinstance(raw, list) or not all(isinstance(c, dict) for c in raw) or not raw:
        at.say("columns 不是列的列表", 'columns = [ { name = "…", heading = "…", type = "…" }, … ]')
        return
    for column in raw:
        where = f"列 {column.get('name', column.get('heading', '?'))} "
        if not _keys(column, _COLUMN, ("name", "heading", "type"), where, at):
            continue
        if column["type"] not in TYPES:
            at.say(f"{where}的 type 写成了 {column['type']!r}", _near(column["type"], TYPES))
        if (column["type"] in ("code", "codes")) != bool(column.get("codes")):
            at.say(f"{where}的 codes 与 type 不合", "type 为 code 或 codes 时要有 codes，其他时候不能有")
        if column.get("opposite") and column["type"] != "yesno":
            at.say(f"{where}有 opposite", "只有 type 为 yesno 的列才能有")
        for code, others in column.get("codes", {}).items():
            if not isinstance(others, list) or not all(isinstance(x, str) for x in others):
                at.say(f"{where}的 codes.{code} 不是文字列表", f'{code} = ["别的写法", …]')
            elif column.get("number") and not code.isdigit():
                at.say(f"{where}的 codes.{code} 不是整数", "number = true 时代码要是数字")
        if column["name"] in seen:
            at.say(f"{where}写了两次", "一个名字只能有一列")
        seen.add(column["name"])


def check_aliases(raw: Mapping[str, Any], names: Collection[str], at: Complaints, where: str = "") -> None:
    for name, headings in raw.items():
        if name not in names:
            at.say(f"{where}aliases 里的 {name} 不是这个台账的列", _near(name, names))
        if not isinstance(headings, list) or not all(isinstance(x, str) for x in headings):
            at.say(f"{where}aliases.{name} 不是文字列表", f'{name} = ["表头", …]')


def check_layouts(raw: Any, columns: Mapping[str, Any], taken: Collection[str], at: Complaints) -> None:
    """`columns`: the feed's columns by standard name; `taken`: names of the layouts that it has already."""
    seen = set(taken)
    if not isinstance(raw, list) or not all(isinstance(x, dict) for x in raw):
        at.say("layout 不是表的列表", "每种格式写一个 [[layout]]")
        return
    for layout in raw:
        where = f"格式 {layout.get('name', '?')} "
        if not _keys(layout, _LAYOUT, ("name",), where, at):
            continue
        if not layout["name"] or layout["name"] in seen:
            at.say(f"{where}的名字是空的或已经用过", "每种格式起一个不同的名字")
        seen.add(layout["name"])
        if layout.get("kind", "person") not in ("person", "family", "roll"):
            at.say(f"{where}的 kind 写成了 {layout['kind']!r}", "应为 person、family 或 roll")
        if layout.get("columns"):
            check_columns(layout["columns"], at)
        names = {*columns, *(str(c.get("name")) for c in layout.get("columns", ()) if isinstance(c, dict))}
        check_aliases(layout.get("aliases", {}), names, at, where)
        given = [("required", name) for name in layout.get("required", ())]
        given += [("constants", name) for name in layout.get("constants", {})]
        given += [("same_as", name) for pair in layout.get("same_as", {}).items() for name in pair]
        split = layout.get("split", {})
        if "split" in layout and not _check_split(split, layout, columns, at.at(f"{at.where}：{where}split")):
            continue
        for key, name in given:
            if name not in names:
                at.say(f"{where}{key} 里的 {name} 不是这个台账的列", _near(name, names))
        values = [
            ("constants", layout.get("constants", {})),
            *((f"from_name.{w}", v) for w, v in layout.get("from_name", {}).items()),
            *((f"split.parts.{part}", v) for part, v in split.get("parts", {}).items()),
        ]
        for key, constants in values:
            if not isinstance(constants, dict):
                at.say(f"{where}{key} 不是表", '{ 列名 = "值" }')
                continue
            for name, value in constants.items():
                codes = getattr(columns.get(name), "codes", None)
                if name not in names:
                    at.say(f"{where}{key} 里的 {name} 不是这个台账的列", _near(name, names))
                elif not isinstance(value, str) or (codes and value not in codes):
                    at.say(f"{where}{key} 给 {name} 的值 {value!r} 不对", f"应为 {'、'.join(codes or ['文字'])}")


def _check_split(raw: Mapping[str, Any], layout: Mapping[str, Any], columns: Collection[str], at: Complaints) -> bool:
    """The references of a split; the values of its parts are checked with the constants. True when they can be."""
    if not _keys(raw, _SPLIT, ("into", "parts"), "", at):
        return False
    own = {c.get("name"): c.get("type") for c in layout.get("columns", ()) if isinstance(c, dict)}
    if layout.get("kind", "person") != "person":
        at.say(f"用在了 kind 为 {layout['kind']} 的格式里", "只有 person 格式才能有 split")
    if raw["into"] not in columns:
        at.say(f"into 里的 {raw['into']} 不是这个台账的列", _near(raw["into"], columns))
    if not raw["parts"]:
        at.say("parts 是空的", '例如 parts = { 列名 = { 另一列 = "值" } }')
    for name in [*raw["parts"], *filter(None, [raw.get("total")])]:
        if own.get(name) != "amount":
            at.say(f"里的 {name} 不是这种格式自己的金额列", '请在这种格式的 columns 里写上，type = "amount"')
    return True


def _keys(
    raw: Mapping[str, Any], known: Mapping[str, type], needed: tuple[str, ...], where: str, at: Complaints
) -> bool:
    """Says what keys are unknown, missing or of a wrong kind; true when the needed ones can be used."""
    for key in raw:
        if key not in known:
            at.say(f"{where}有不认识的项 {key}", _near(key, known))
    before = len(at.all)
    for key, value in raw.items():
        if key in known and not isinstance(value, known[key]):
            at.say(f"{where}的 {key} 写成了 {value!r}", f"应为{_KINDS[known[key]]}")
    for key in needed:
        if key not in raw:
            at.say(f"{where}缺 {key}", f"请补上 {key} = …")
    return len(at.all) == before


def _near(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(str(word), list(known), 1)
    return f"是不是 {close[0]}？" if close else f"应为 {'、'.join(sorted(known))} 之一"
