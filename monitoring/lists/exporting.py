"""A risk list leaves: for one download from the page, or into a file of the operator's. Always marked, always journalled.

Masked unless a purpose is stated by somebody who may see it in full. The rows are put in order once (their keys only); then
they are read and written some thousands at a time. The export's row (who, which filter, how many, the file's digest, the mark)
is in the case store before the file stands under its name; an unmasked one of the operator's is in the journal of unmasked
exports before it is begun.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import duckdb
import polars as pl
from sqlalchemy import insert, select

from monitoring.access import Scope
from monitoring.alerts.moves import STATUSES
from monitoring.exporting.journal import record_unmask
from monitoring.exporting.writing import check_rows, check_suffix
from monitoring.language import Language
from monitoring.lists import marks
from monitoring.lists.asking import Ask, check, in_words
from monitoring.lists.fields import SUBJECTS, fields
from monitoring.lists.tracing import tie
from monitoring.lists.writing import CODE, Shape, Written, columns_of, dictionary_file, write_list
from monitoring.people import Caller, Denied, Person, acting, reading
from monitoring.people.downloads import offer, waiting
from monitoring.people.viewing import stated_purpose
from monitoring.queries.risk_lists import KEY, Cases, choices, column_sql, order_sql, relation
from monitoring.store import Store
from monitoring.store.schema import alert, list_export
from monitoring.warehouse import Warehouse
from monitoring.working_days import CHINA

BATCH = 50_000
FORMATS = ("xlsx", "csv", "parquet")


def alert_names(t: Language) -> dict[str, str]:
    """How far an open alert may be, in words; "none" where there is none."""
    return {"none": t("没有在办预警"), **{code: t.pick(*told) for code, told in STATUSES.items() if code != "closed"}}


@dataclass(frozen=True)
class Exported:
    """What left: where it lies, rows, digest, mark."""

    path: Path
    rows: int
    sha256: str
    mark: str
    dictionary: Path | None = None


def open_cases(store: Store, caller: Caller, at: datetime) -> Cases:
    """The households with an open alert in the caller's places, and how far it is. Raises Denied, SessionOver."""
    with reading(store, caller, "page.lists", at) as act:
        mine = act.person.limit(alert.c.township, alert.c.village)
        asked = select(alert.c.household_id, alert.c.status).where(
            alert.c.status != "closed", alert.c.household_id.is_not(None)
        )
        found = act.con.execute(asked if mine is None else asked.where(mine)).all()
        return tuple(sorted({row.household_id: row.status for row in found}.items()))


def offer_list(
    store: Store, caller: Caller, warehouse: Warehouse, picked: Scope, ask: Ask, form: str, purpose: str | None, lang: str, at: datetime
) -> str:  # fmt: skip
    """The file for one download by the caller; its address. In full where `purpose` is given.

    Raises Denied, SessionOver, PurposeMissing, NotAsked, ValueError (too many rows for a workbook).
    """
    if form not in FORMATS:
        raise Denied
    action, person, said = _asked(store, caller, purpose, at)
    scope = replace(picked, allowed=person.places, masked=purpose is None)
    path = waiting(store) / f"{secrets.token_hex(16)}.{form}"
    t = Language(lang)
    name = f"{t(LIST_NAMES[ask.subject])}-{_period(warehouse)}-{at.astimezone(CHINA):%Y%m%d-%H%M}{'' if scope.masked else '-' + t('完整')}.{form}"
    done = _make(store, caller, action, person, warehouse, scope, ask, path, name, said, t, at)
    return offer(store, caller, action, "risk-list", path, name, done.rows, masked=scope.masked, at=at)


def export_list(
    store: Store, caller: Caller, warehouse: Warehouse, ask: Ask, out: Path, purpose: str | None, lang: str, at: datetime
) -> Exported:  # fmt: skip
    """As `offer_list`, into a file of the operator's; a Parquet file gets its dictionary beside it. Raises as `offer_list`."""
    check_suffix(out)
    action, person, said = _asked(store, caller, purpose, at)
    scope = Scope(allowed=person.places, masked=purpose is None)
    done = _make(store, caller, action, person, warehouse, scope, ask, out, out.name, said, Language(lang), at)
    return done


LIST_NAMES = {"household": "风险名单-户", "person": "风险名单-人"}


def _asked(store: Store, caller: Caller, purpose: str | None, at: datetime) -> tuple[str, Person, str]:
    action = "export.masked" if purpose is None else "export.full"
    with reading(store, caller, action, at) as act:
        act.need("page.lists")
        return action, act.person, "" if purpose is None else stated_purpose(purpose)


def _period(warehouse: Warehouse) -> str:
    return str(warehouse.row("select period from run")["period"])


def _make(
    store: Store, caller: Caller, action: str, person: Person, warehouse: Warehouse, scope: Scope, ask: Ask, path: Path, name: str,
    purpose: str, t: Language, at: datetime,
) -> Exported:  # fmt: skip
    check(ask, scope.masked)
    mark = secrets.token_hex(16)
    key = marks.mark_key(store.key, mark)
    cases = (
        open_cases(store, caller, at)
        if {"alert"} & {*ask.shown, *(c.field for c in ask.where), *(o.field for o in ask.order)}
        else ()
    )
    run = warehouse.row("select run_id, period, as_of, pack, sample from run")
    with warehouse.workspace() as cursor:
        cut = _Rows(warehouse, cursor, scope, ask, cases, key, t.code)
        rows = cut.order()
        check_rows(path, rows)
        shape = _shape(warehouse, scope, ask, person, run, rows, purpose, mark, t, at)
        if person.system and not scope.masked:
            asked = in_words(ask, Language("zh"))
            record_unmask(
                store.home, person.person, "risk-list", run["period"], purpose, rows, at=at, file=name, where=asked
            )
        record = partial(_record, store, caller, action, ask, name, run["run_id"], scope.masked, purpose, mark, at)
        written = write_list(cut.batches(rows), cut.empty(), rows, path, shape, record)
    beside = (
        dictionary_file(path, shape) if path.suffix.lower() == ".parquet" and path.parent != waiting(store) else None
    )
    return Exported(path, rows, written.sha256, mark, beside)


def _record(
    store: Store, caller: Caller, action: str, ask: Ask, name: str, run_id: str, masked: bool, purpose: str, mark: str, at: datetime,
    written: Written,
) -> None:  # fmt: skip
    """The export on record; where that cannot be written there is no file."""
    with acting(store, caller, action, at) as act:
        act.con.execute(insert(list_export).values(
            mark=mark, account_id=act.person.account, account=act.person.name, by=act.person.person, name=name, run_id=run_id,
            content=ask.json(), masked=masked, purpose=purpose, rows=written.rows, sha256=written.sha256, at=at,
        ))  # fmt: skip
        act.journal(
            "export.list", f"export:{mark}", rows=written.rows, sha256=written.sha256, masked=masked, purpose=purpose,
            fields=[c.field for c in ask.conditions], run=run_id,
        )  # fmt: skip


def _shape(
    warehouse: Warehouse, scope: Scope, ask: Ask, person: Person, run: dict[str, object], rows: int, purpose: str, mark: str, t: Language,
    at: datetime,
) -> Shape:  # fmt: skip
    named = {
        c.field: choices(warehouse, scope, ask.subject, c.field)
        for c in ask.conditions
        if fields(ask.subject)[c.field].kind == "set"
    }
    place = t.listed(" ".join(p for p in (town, village) if p) for town, village in _places(scope)) or t("全县")
    cover = [
        (t("名单"), t(LIST_NAMES[ask.subject])),
        (t("期间"), f"{t.month(str(run['period']))}（{run['as_of']}）"), (t("结果编号"), str(run["run_id"])), (t("政策包"), str(run["pack"])),
        (t("范围"), place), (t("条件"), in_words(ask, t, {**named, "alert": alert_names(t)})),
        (t("行数"), f"{rows:,}"), (t("导出人"), f"{person.person}　{at.astimezone(CHINA):%Y-%m-%d %H:%M}"), (t("用途"), purpose or t("未填（已脱敏）")),
        (t("脱敏"), t("姓名、证件号码已隐去") if scope.masked else t("完整信息：用后妥善保管，不得转借外传；本次导出已记入日志")),
        (t("标记"), t("每一行都带有能认出导出人的标记（核对码等），单独抄出几十行也能认出。编号 {mark}", mark=mark[:8])),
        (t("不明"), t("没有数据、不能断定的写“不明”，不是没有，也不是零。名单只提示核实，不能据此停发。")),
    ]  # fmt: skip
    if run["sample"]:
        cover.append((t("样例"), t("人和事都是编造的，只供演示")))
    return Shape(
        columns_of(ask.shown, fields(ask.subject)), t, t(SUBJECTS[ask.subject] + "名单"), tuple(cover), alert_names(t)
    )


def _places(scope: Scope) -> list[tuple[str | None, str | None]]:
    if scope.villages is not None:
        return list(scope.villages)
    if scope.townships is not None:
        return [(town, None) for town in scope.townships]
    return list(scope.allowed or ())


class _Rows:
    """The rows of a list in their order: the keys in a table of this cursor's own, the rest read batch by batch."""

    def __init__(
        self,
        warehouse: Warehouse,
        cursor: duckdb.DuckDBPyConnection,
        scope: Scope,
        ask: Ask,
        cases: Cases,
        key: str,
        lang: str,
    ) -> None:
        self.cursor, self.ask, self.key = cursor, ask, KEY[ask.subject]
        self.found = relation(warehouse, scope, ask, cases, lang=lang)
        spelling = marks.spelling(key)
        known = fields(ask.subject)
        self.params = {**self.found.params, "mark": key}
        columns = [f'{column_sql(scope, known[name], spelling)} as "{name}"' for name in ask.shown]
        self.columns = ", ".join([*columns, f"{marks.code_sql(f'h.{self.key}::VARCHAR')} as {CODE}"])
        tied = tie(ask.subject, scope.masked)
        shown = column_sql(scope, known[tied], spelling) if tied in ask.shown else f"h.{self.key}::VARCHAR"
        self.by = f"{marks.order_key_sql(shown)}, h.{self.key}"

    def order(self) -> int:
        """Puts the keys in order; how many there are."""
        f = self.found
        self.cursor.execute(
            f"""create temp table ordered as select row_number() over (order by {order_sql(self.ask, self.by)}) as n, h.{self.key} as k
                {f.source} {f.scoped} and ({f.fits})""",
            self.params,
        )
        return int(self.cursor.execute("select count(*) from ordered").fetchall()[0][0])

    def batches(self, rows: int) -> Iterator[pl.DataFrame]:
        for first in range(1, rows + 1, BATCH):
            yield self._some(first, first + BATCH - 1)

    def empty(self) -> pl.DataFrame:
        return self._some(0, 0)

    def _some(self, first: int, last: int) -> pl.DataFrame:
        source = self.found.source
        # what the filter alone needs is not bound here
        query = f"select {self.columns} {source} join (select n, k from ordered where n between $first and $last) o on o.k = h.{self.key} order by o.n"
        bound = {name: value for name, value in self.params.items() if f"${name}" in query}
        found: pl.DataFrame = self.cursor.sql(query, params={**bound, "first": first, "last": last}).pl()
        return found
