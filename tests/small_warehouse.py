"""A warehouse of three households, made by SQL in memory, for tests of what reads one: all balances hold in it.

HB1 is rural, on the monitoring list, not covered; HB2 is on whole-household dibao; U-… is one unregistered person.
Names and numbers are invented (area 999999 does not exist).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from monitoring.tables import SNAPSHOTS

ZHANG, LI, WANG, QIAN, LONE = range(101, 106)
NUMBERS = {
    ZHANG: "999999195603021234",
    LI: "999999198001015678",
    WANG: "999999199001012345",
    QIAN: "99999919450101876X",
    LONE: "999999197001014321",
}
NAMES = {ZHANG: "张三丰", LI: "李四", WANG: "王五", QIAN: "钱六", LONE: "独孤一"}
LONE_HOUSEHOLD = f"U-{NUMBERS[LONE]}"

_TABLES = """
CREATE TABLE run (run_id VARCHAR, period VARCHAR, as_of DATE, pack VARCHAR, sample BOOLEAN, persons BIGINT, households BIGINT, signals BIGINT);
CREATE TABLE part (delivered INT, part INT, file VARCHAR, sheet VARCHAR, feed VARCHAR, layout VARCHAR, format VARCHAR, encoding VARCHAR,
    sha256 VARCHAR, heading_rows VARCHAR, rows_read INT, loaded INT, duplicate INT, quarantined INT, not_data INT, reason VARCHAR,
    unknown_headings VARCHAR, this_period BOOLEAN);
CREATE TABLE quarantine (delivered INT, part INT, "row" INT, feed VARCHAR, department VARCHAR, reasons VARCHAR, raw VARCHAR);
CREATE TABLE not_data (delivered INT, part INT, "row" INT, why VARCHAR, text VARCHAR);
CREATE TABLE duplicate (delivered INT, part INT, "row" INT, first_delivered INT, first_part INT, first_row INT);
CREATE TABLE std_registry (delivered INT, part INT, "row" INT, person_id BIGINT);
CREATE TABLE std_dibao (delivered INT, part INT, "row" INT, person_id BIGINT);
CREATE TABLE household (household_key BIGINT, household_id VARCHAR, registered BOOLEAN, township VARCHAR, village VARCHAR, head_person_id BIGINT);
CREATE TABLE membership (household_key BIGINT, person_id BIGINT, relation VARCHAR, is_head BOOLEAN, belongs BOOLEAN, alive BOOLEAN);
CREATE TABLE signal (period VARCHAR, rule VARCHAR, kind VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT,
    id_number VARCHAR, name VARCHAR, township VARCHAR, village VARCHAR, department VARCHAR, due_date DATE, evidence VARCHAR, clause VARCHAR,
    message VARCHAR, record_key VARCHAR, message_en VARCHAR, household_key BIGINT, level_order INT);
CREATE TABLE rule (rule VARCHAR, kind VARCHAR, subject VARCHAR, record VARCHAR, disabled BOOLEAN);
CREATE TABLE rule_outcome (rule VARCHAR, township VARCHAR, village VARCHAR, judged BIGINT, hit BIGINT, clear BIGINT, unknown BIGINT);
"""
_FILES: tuple[tuple[Any, ...], ...] = (
    (202611, 1, "公安/户籍.csv", "", "registry", "", "csv", "utf-8", "aa", "1", 7, 5, 1, 0, 1, "", "", True),
    (202611, 2, "民政/低保.xlsx", "Sheet1", "dibao", "", "xlsx", "", "bb", "2", 5, 1, 0, 2, 2, "", "备注", True),
    (202611, 3, "民政/说明.xlsx", "封面", None, "", "xlsx", "", "cc", "", 0, 0, 0, 0, 0, "不是任何一种台账", "", True),
    (202610, 1, "公安/户籍10.csv", "", "registry", "", "csv", "utf-8", "dd", "1", 4, 0, 0, 0, 4, "", "", False),
)
_QUARANTINED = (
    {
        "姓名": "赵七",
        "身份证号": "99999919770707123X",
        "备 注": "本人电话13800001111，配偶９９９９９９１９７７０７０７９９９９",
    },
    {"姓名": "=SUM(A1)", "身份证号": "", "享受起始日期": "不详", "row": "3"},
)


def small_warehouse() -> duckdb.DuckDBPyConnection:
    """The open connection; a test may spoil what it likes."""
    connection = duckdb.connect(":memory:")
    connection.execute(_TABLES)
    for subject, columns in SNAPSHOTS.items():
        described = ", ".join(f'"{name}" {column.type}' for name, column in columns.items())
        connection.execute(f"CREATE TABLE {subject}_snapshot ({described})")
    _files(connection)
    _people(connection)
    _signals(connection)
    return connection


def insert(connection: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    """One row; columns that are not named are NULL."""
    names = ", ".join(f'"{name}"' for name in values)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", list(values.values()))


def _files(connection: duckdb.DuckDBPyConnection) -> None:
    connection.executemany(f"INSERT INTO part VALUES ({', '.join('?' * 18)})", _FILES)
    for row, person in enumerate((ZHANG, LI, WANG, QIAN, LONE), 2):
        insert(connection, "std_registry", delivered=202611, part=1, row=row, person_id=person)
    insert(connection, "std_dibao", delivered=202611, part=2, row=4, person_id=WANG)
    insert(connection, "duplicate", delivered=202611, part=1, row=7, first_delivered=202611, first_part=1, first_row=6)
    insert(connection, "not_data", delivered=202611, part=1, row=1, why="表头", text="姓名")
    for row in (1, 2):
        insert(connection, "not_data", delivered=202611, part=2, row=row, why="标题", text="低保台账")
    for row, raw in enumerate(_QUARANTINED, 5):
        reasons = "证件号码 99999919770707123X 校验码不符；缺享受起始日期" if row == 5 else "享受起始日期读不懂"
        insert(
            connection, "quarantine", delivered=202611, part=2, row=row, feed="dibao", department="民政", reasons=reasons,
            raw=json.dumps(raw, ensure_ascii=False),
        )  # fmt: skip


def _people(connection: duckdb.DuckDBPyConnection) -> None:
    for feed in ("registry", "dibao", "tekun", "monitored"):
        insert(connection, "feed_snapshot", feed=feed, title=feed, matching_set=True, has_file=True, last_period=202611)
    households: dict[int, tuple[str, tuple[int, ...], Mapping[str, Any]]] = {
        1: (
            "HB1",
            (ZHANG, LI),
            {"monitored": True, "at_risk": True, "monitored_kind": "边缘易致贫户", "income_pc": 500},
        ),
        2: (
            "HB2",
            (WANG, QIAN),
            {"monitored": False, "at_risk": False, "whole_household_dibao": True, "income_pc": 300},
        ),
        3: (LONE_HOUSEHOLD, (LONE,), {"monitored": False, "at_risk": False}),
    }
    for key, (household_id, members, facts) in households.items():
        place = {"township": "石桥镇", "village": "东村" if key == 1 else "西村"}
        head, registered = members[0], key != 3
        ids = {"household_key": key, "household_id": household_id}
        insert(connection, "household", **ids, **place, registered=registered, head_person_id=head)
        insert(
            connection, "household_snapshot", **ids, **place, registered=registered, head_person_id=head, size=len(members),
            urban=False, standard=600, risk_removed=False, **facts,
        )  # fmt: skip
        for person in members:
            insert(
                connection, "membership", household_key=key, person_id=person, relation="户主" if person == head else "配偶",
                is_head=person == head, belongs=True, alive=True,
            )  # fmt: skip
            insert(
                connection, "person_snapshot", **ids, **place, person_id=person, number=NUMBERS[person], name=NAMES[person], alive=True,
                on_dibao=person == WANG, on_tekun=False, monitored_household=facts["monitored"],
                whole_household_dibao=facts.get("whole_household_dibao", False),
            )  # fmt: skip


def _signals(connection: duckdb.DuckDBPyConnection) -> None:
    insert(connection, "institution_snapshot", institution="石桥敬老院", township="石桥镇", residents=30, carers=1)
    insert(connection, "record_snapshot", record="clues", record_key="XS-1", person_id=LONE)
    for rule, kind, subject, record, outcome in (
        ("GAP-DIBAO", "gap", "household", "", (3, 1, 1, 1)),
        ("DQ-NAME", "data", "person", "", (5, 1, 4, 0)),
        ("PROC-CLUE", "process", "record", "clues", (1, 1, 0, 0)),
        ("GAP-CARERS", "gap", "institution", "", (1, 1, 0, 0)),
    ):
        insert(connection, "rule", rule=rule, kind=kind, subject=subject, record=record, disabled=False)
        judged, hit, clear, unknown = outcome
        insert(
            connection,
            "rule_outcome",
            rule=rule,
            township="石桥镇",
            village="东村",
            judged=judged,
            hit=hit,
            clear=clear,
            unknown=unknown,
        )
    insert(
        connection,
        "rule",
        rule="PROC-EMERGENCY",
        kind="process",
        subject="record",
        record="temporary_aid",
        disabled=True,
    )
    shared = {
        "period": "2026-11",
        "township": "石桥镇",
        "department": "民政",
        "clause": "MF 二（二）",
        "due_date": "2026-12-05",
    }
    insert(
        connection, "signal", **shared, rule="GAP-DIBAO", kind="gap", level="red", subject="household", household_id="HB1", person_id=ZHANG,
        id_number=NUMBERS[ZHANG], name=NAMES[ZHANG], village="东村", evidence='{"income_pc": 500, "$dibao.standard_rural": 600}',
        message="张三丰户人均 500 元，低于标准 600 元。", message_en="Income 500 below 600.",
    )  # fmt: skip
    insert(
        connection, "signal", **shared, rule="DQ-NAME", kind="data", level="yellow", subject="person", household_id="HB1", person_id=LI,
        id_number=NUMBERS[LI], name=NAMES[LI], village="东村",
        evidence='{"name_count": 2, "other_names": "李思思、黎四", "birth_date": "1980-01-01"}',
        message=f"证件号码 {NUMBERS[LI]} 有不同姓名：李四、李思思、黎四。", message_en="Other names: 李思思、黎四.",
    )  # fmt: skip
    insert(
        connection, "signal", **shared, rule="PROC-CLUE", kind="process", level="red", subject="record", household_id=LONE_HOUSEHOLD,
        person_id=LONE, id_number=NUMBERS[LONE], name=NAMES[LONE], village="西村", evidence="{}", message="线索超期。",
        message_en="Overdue clue.", record_key=f"{NUMBERS[LONE]}-XS-1",
    )  # fmt: skip
    insert(
        connection, "signal", **shared, rule="GAP-CARERS", kind="gap", level="orange", subject="institution", name="石桥敬老院",
        evidence='{"residents": 30, "carers": 1}', message="石桥敬老院护理员不足。", message_en="Too few carers.",
    )  # fmt: skip
    insert(
        connection,
        "run",
        run_id="r1",
        period="2026-11",
        as_of="2026-11-30",
        pack="demo",
        sample=True,
        persons=5,
        households=3,
        signals=4,
    )
