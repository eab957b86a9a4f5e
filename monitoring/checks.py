"""The balances of promises 1 and 2, recomputed from a warehouse alone: nothing lost, unknown counted, every signal explained.

A run calls `audit` before it publishes; `buluo audit` calls it again on the published file, with `audit_file` for the
pointer. Each balance is one query that gives a row for each group (file, rule, …) with two numbers that must be equal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

_STD_TABLE = re.compile(r"std_[a-z_]+")
_SHOWN = 3
_SUBJECTS = ("household", "person", "record", "institution", "feed", "policy")


@dataclass(frozen=True)
class Check:
    """One balance. `left` and `right` are the sums over all groups; `ok` means that every group balances by itself.

    `words` (Chinese) and `words_en` say what was compared and, where it fails, where and by how much.
    """

    name: str
    ok: bool
    left: int
    right: int
    words: str
    words_en: str


@dataclass(frozen=True)
class _Balance:
    """`sql` gives (group, left, right), one row a group; without a group the two sides are 0 and balance."""

    name: str
    zh: str
    en: str
    sql: str | Callable[[duckdb.DuckDBPyConnection], str]


def _rows_by_part(connection: duckdb.DuckDBPyConnection) -> str:
    """For each file's part: what its line says against the rows that really stand in the tables.

    A row of a file counts once, as loaded, else duplicate, else quarantined: one that lists a family may stand in several
    rows, and in two tables. Such parts are few; only theirs are looked at row by row, the others are merely counted.
    """
    held = {str(row[0]) for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    loaded = [name for name in sorted(held) if _STD_TABLE.fullmatch(name) or name == "supplement"]
    tables = [*((1, name) for name in loaded), (2, "duplicate"), (3, "quarantine"), (4, "not_data")]
    rows = " UNION ALL ".join(f'SELECT {kind} AS kind, delivered, part, "row" FROM {name}' for kind, name in tables)
    return f"""
        WITH stated AS (
            SELECT unnest([1, 2, 3, 4]) AS kind, delivered, part, concat_ws(' ', file, nullif(sheet, '')) AS what,
                unnest([loaded, duplicate, quarantined, not_data])::BIGINT AS said
            FROM part WHERE this_period
        ), counted AS (
            SELECT kind, delivered, part, count(*) AS found FROM ({rows}) GROUP BY ALL
        ), compared AS (
            SELECT kind, delivered, part, what, said, coalesce(found, 0) AS found FROM stated LEFT JOIN counted USING (kind, delivered, part)
        ), uncertain AS (
            SELECT DISTINCT delivered, part FROM compared WHERE said <> found
        ), once AS (
            SELECT min(kind) AS kind, delivered, part FROM ({rows}) SEMI JOIN uncertain USING (delivered, part)
            WHERE "row" IS NOT NULL GROUP BY delivered, part, "row"
        ), recounted AS (
            SELECT kind, delivered, part, count(*) AS found FROM once GROUP BY ALL
        )
        SELECT concat(what, ' ', ['loaded', 'duplicate', 'quarantined', 'not_data'][kind]), said,
            CASE WHEN said = compared.found THEN said ELSE coalesce(recounted.found, 0) END
        FROM compared LEFT JOIN recounted USING (kind, delivered, part)
    """


def _judged(connection: duckdb.DuckDBPyConnection, table: str = "") -> str:
    """Subjects that each rule has to judge against those that it judged; a rule without any outcome has judged none."""
    subjects = " ".join(
        f"WHEN '{subject}' THEN (SELECT count(*) FROM {subject}_snapshot)"
        for subject in _SUBJECTS
        if subject != "record"
    )
    return f"""
        SELECT rule.rule, CASE rule.subject {subjects} ELSE coalesce(records.records, 0) END,
            coalesce(outcome.judged, 0)::BIGINT
        FROM {table}rule AS rule
        LEFT JOIN (SELECT record, count(*) AS records FROM record_snapshot GROUP BY record) AS records USING (record)
        LEFT JOIN (SELECT rule, sum(judged) AS judged FROM {table or "rule_"}outcome GROUP BY rule) AS outcome USING (rule)
        WHERE NOT rule.disabled AND rule.subject <> 'model'
    """


def _shadow(connection: duckdb.DuckDBPyConnection) -> str:
    """With rules in shadow: each judged all its subjects, hit + clear + unknown are all judged, and whom it hit is listed."""
    held = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'shadow_rule'").fetchall()[0][0]
    if not held:
        return "SELECT '没有影子规则', 0, 0"
    return f"""
        {_judged(connection, "shadow_")}
        UNION ALL SELECT rule || ' hit + clear + unknown', sum(judged)::BIGINT, sum(hit + clear + unknown)::BIGINT FROM shadow_outcome GROUP BY rule
        UNION ALL SELECT rule || ' hit', coalesce(hits, 0), coalesce(listed, 0)
            FROM (SELECT rule, sum(hit)::BIGINT AS hits FROM shadow_outcome GROUP BY rule)
            FULL JOIN (SELECT rule, count(*) AS listed FROM shadow_hit GROUP BY rule) USING (rule)"""


def _foreseen(connection: duckdb.DuckDBPyConnection) -> str:
    """With a model: households scored and those helped already, which are not, are all; every score is listed or not."""
    held = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'risk_score'").fetchall()[0][0]
    if not held:
        return "SELECT '没有模型', 0, 0"
    return """
        SELECT 'risk_score', (SELECT count(*) FROM risk_score), count(DISTINCT household_key)
        FROM (SELECT household_key FROM risk_score JOIN household_snapshot USING (household_key) WHERE score BETWEEN 0 AND 1)
        UNION ALL SELECT 'MODEL-RISK', coalesce(sum(judged), 0)::BIGINT, (SELECT count(*) FROM risk_score) FROM rule_outcome WHERE rule = 'MODEL-RISK'
        UNION ALL SELECT 'MODEL-RISK ' || level, count(*), count(*) FILTER (level = 'yellow') FROM signal WHERE rule = 'MODEL-RISK' GROUP BY level
    """


_BALANCES = (
    _Balance(
        "files",
        "每个文件：读入行数 = 载入 + 重复 + 隔离 + 非数据",
        "Every file: rows read = loaded + duplicate + quarantined + not data",
        "SELECT concat_ws(' ', file, nullif(sheet, '')), rows_read, loaded + duplicate + quarantined + not_data FROM part",
    ),
    _Balance(
        "rows",
        "每个文件：台账所记行数 = 各表中实有行数",
        "Every file: rows stated in the ledger = rows that stand in the tables",
        _rows_by_part,
    ),
    _Balance(
        "persons",
        "人数 = 各户人数之和",
        "Persons = sum of persons by household",
        "SELECT '全县', (SELECT count(*) FROM person_snapshot), (SELECT count(*) FROM membership WHERE belongs)",
    ),
    _Balance(
        "one_household_each",
        "每人恰好归属一户",
        "Every person belongs to exactly one household",
        """SELECT 'person_id ' || person_id, 1, count(m.belongs) FROM person_snapshot
           LEFT JOIN (SELECT person_id, belongs FROM membership WHERE belongs) AS m USING (person_id) GROUP BY person_id""",
    ),
    _Balance(
        "members_known",
        "户成员关系中的人和户都存在",
        "Every membership's person and household exist",
        """SELECT 'household_key ' || m.household_key, count(*), count(*) FILTER (p.person_id IS NOT NULL AND h.household_key IS NOT NULL)
           FROM membership AS m LEFT JOIN (SELECT person_id FROM person_snapshot) AS p USING (person_id)
           LEFT JOIN (SELECT household_key FROM household) AS h USING (household_key) GROUP BY m.household_key""",
    ),
    _Balance(
        "sizes",
        "家庭人口 = 在世成员数",
        "Size of every judged household = its living members",
        """SELECT 'household_key ' || household_key, coalesce(size, 0), coalesce(living, 0)
           FROM (SELECT household_key, size FROM household_snapshot)
           FULL JOIN (SELECT household_key, count(*) AS living FROM membership WHERE alive GROUP BY household_key) USING (household_key)""",
    ),
    _Balance(
        "outcomes",
        "每条规则：判定数 = 命中 + 未命中 + 不明",
        "Every rule: judged = hit + clear + unknown",
        "SELECT rule, sum(judged)::BIGINT, sum(hit + clear + unknown)::BIGINT FROM rule_outcome GROUP BY rule",
    ),
    _Balance(
        "judged",
        "每条规则：应判对象全部判定（户、人、记录、机构）",
        "Every rule judged all its subjects (households, persons, records, institutions)",
        _judged,
    ),
    _Balance(
        "hits",
        "每条规则：命中数 = 信号数",
        "Every rule: hits = signals",
        """SELECT rule, coalesce(hits, 0), coalesce(signals, 0)
           FROM (SELECT rule, sum(hit)::BIGINT AS hits FROM rule_outcome GROUP BY rule)
           FULL JOIN (SELECT rule, count(*) AS signals FROM signal GROUP BY rule) USING (rule)""",
    ),
    _Balance(
        "shadow",
        "影子规则：应判对象全部判定，判定数 = 命中 + 未命中 + 不明，命中的都有名单（不产生信号）",
        "Rules in shadow: all subjects judged, judged = hit + clear + unknown, hits = listed (no signals)",
        _shadow,
    ),
    _Balance(
        "foreseen",
        "模型：已评分的每户只有一个分，提示都是黄色，评分户数 = 判定数",
        "The model: one score a household, pointers are yellow, scored = judged",
        _foreseen,
    ),
    _Balance(
        "signals_unique",
        "信号不重复（规则、对象、户、人、记录）",
        "No signal twice (rule, subject, household, person, record)",
        """SELECT rule, count(*), count(DISTINCT (subject, household_id, person_id, record_key,
               CASE WHEN person_id IS NULL AND household_id IS NULL THEN (name, township) END)) FROM signal GROUP BY rule""",
    ),
    _Balance(
        "signals_explained",
        "每条信号都有依据、能读的证据和说明",
        "Every signal has its clause, evidence (valid JSON) and message",
        """SELECT rule, count(*), count(*) FILTER (coalesce(clause, '') <> '' AND coalesce(json_valid(evidence), FALSE)
               AND coalesce(message, '') <> '' AND coalesce(message_en, '') <> '') FROM signal GROUP BY rule""",
    ),
    _Balance(
        "run",
        "人数、户数、信号数 = 运行记录所记",
        "Persons, households and signals = those stated by the run",
        """SELECT 'persons', persons, (SELECT count(*) FROM person_snapshot) FROM run
           UNION ALL SELECT 'households', households, (SELECT count(*) FROM household_snapshot) FROM run
           UNION ALL SELECT 'signals', signals, (SELECT count(*) FROM signal) FROM run
           UNION ALL SELECT 'runs', 1, count(*) FROM run""",
    ),
    _Balance(
        "numbers_unique",
        "一个证件号码只属于一个人",
        "One identity number, one person",
        # the group shows four places only: these words end in logs
        """SELECT '证件号码 ********' || right(number, 4), 1, count(*) FROM person_snapshot
           WHERE number IS NOT NULL GROUP BY number""",
    ),
    _Balance(
        "persons_unique",
        "人员内部编号不重复",
        "person_id is unique",
        "SELECT 'person_id ' || person_id, 1, count(*) FROM person_snapshot GROUP BY person_id",
    ),
    _Balance(
        "households_unique",
        "户编号不重复",
        "Household keys and numbers are unique",
        "SELECT '全县', 2 * count(*), count(DISTINCT household_key) + count(DISTINCT household_id) FROM household",
    ),
)


def audit(connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """All balances of the warehouse behind the connection; reads only. A table that is missing fails its balances."""
    return [_check(connection, balance) for balance in _BALANCES]


def audit_file(warehouse: Path, pointer: Mapping[str, Any]) -> Check:
    """The published file against the pointer's entry for its period (`file`, `sha256`)."""
    stated = str(pointer.get("sha256", ""))
    if not warehouse.is_file():
        return Check(
            "file", False, 1, 0, f"结果文件 {warehouse.name} 不存在", f"The published file {warehouse.name} is missing"
        )
    with warehouse.open("rb") as published:
        found = hashlib.file_digest(published, "sha256").hexdigest()
    ok = bool(stated) and found == stated and pointer.get("file") == warehouse.name
    words = "与指针所记摘要相符" if ok else "与指针所记摘要不符：文件被改动或没有写完"
    words_en = "matches the pointer's digest" if ok else "does not match the pointer's digest: altered or incomplete"
    return Check(
        "file", ok, 1, int(ok), f"结果文件 {warehouse.name} {words}", f"The published file {warehouse.name} {words_en}"
    )


def _check(connection: duckdb.DuckDBPyConnection, balance: _Balance) -> Check:
    try:
        sql = balance.sql if isinstance(balance.sql, str) else balance.sql(connection)
        compared = f"FROM ({sql}) AS t(what, a, b)"
        totals = connection.execute(
            f"""SELECT count(*), coalesce(sum(a), 0)::BIGINT, coalesce(sum(b), 0)::BIGINT, count(*) FILTER (a IS DISTINCT FROM b)
                {compared}"""
        ).fetchall()
        groups, left, right, broken = totals[0]
        # What a group is called is only asked for those that differ: for all it takes longer than everything else.
        shown = _examples(connection, compared) if broken else ""
    except duckdb.Error as error:
        problem = str(error).splitlines()[0]
        return Check(
            balance.name, False, 0, 0, f"{balance.zh}：无法核对（{problem}）", f"{balance.en}: not checked ({problem})"
        )
    if not broken:
        return Check(
            balance.name,
            True,
            left,
            right,
            f"{balance.zh}：{left:,} = {right:,}，{groups:,} 项全部相符",
            f"{balance.en}: {left:,} = {right:,}",
        )
    return Check(
        balance.name, False, left, right,
        f"{balance.zh}：{broken:,} 项不符，例如 {shown}", f"{balance.en}: {broken:,} of {groups:,} differ, such as {shown}",
    )  # fmt: skip


def _examples(connection: duckdb.DuckDBPyConnection, compared: str) -> str:
    """A few groups that differ, in words."""
    found = connection.execute(
        f"SELECT concat(what, ': ', a, ' ≠ ', b) {compared} WHERE a IS DISTINCT FROM b ORDER BY what, a, b LIMIT {_SHOWN}"
    ).fetchall()
    return "；".join(words for (words,) in found)
