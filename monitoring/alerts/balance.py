"""The balances between a published warehouse and the case store: no signal without its alert, no alert without a cause.

`buluo audit` shows them beside those of the warehouse alone (`monitoring.checks`). They hold for the run that was taken in
last; where that is not the published one, the first check says so and the signals are compared all the same.
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, exists, func, or_, select

from monitoring.alerts import standing
from monitoring.alerts.comparing import GONE, KEY, SETTLED, SHOWN, STANDING
from monitoring.alerts.signals import keys_of_run
from monitoring.checks import Check
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, clue
from monitoring.warehouse import Warehouse

_SHOWN = 3


def check_balance(store: Store, warehouse: Warehouse) -> list[Check]:
    """All of them, in the order: taken in, signals, cause, standing, settled, one open alert a subject."""
    run = str(warehouse.row("select run_id from run")["run_id"])
    keys = keys_of_run(warehouse)
    with store.read() as con:
        return [
            _taken_in(con, run), _signals(con, keys), _cause(con),
            _held(con, "alerts_standing", (STANDING, SHOWN), closed=False,
                  zh="仍成立的信号都在未办结的预警里", en="Every standing signal is in an open alert"),
            _held(con, "alerts_settled", (SETTLED,), closed=True,
                  zh="已有结论的信号都在已办结的预警里", en="Every settled signal is in a closed alert"),
            _one_open(con),
        ]  # fmt: skip


def _taken_in(con: Connection, run: str) -> Check:
    last = standing.last_taken_in(con)
    ok = last is not None and last.run_id == run
    zh, en = f"已发布的结果 {run} 已生成预警", f"The published run {run} is taken in as alerts"
    have = "还没有任何一期" if last is None else last.run_id
    have_en = "none" if last is None else last.run_id
    return Check("alerts_taken_in", ok, 1, int(ok), zh if ok else f"{zh}：没有，库内是 {have}", en if ok else f"{en}: no, the store has {have_en}")  # fmt: skip


def _signals(con: Connection, keys: pl.DataFrame) -> Check:
    held = standing.frame(
        con, select(alert_signal.c.rule, alert_signal.c.subject_key).where(alert_signal.c.state != GONE)
    )
    lost = keys.join(held, on=KEY, how="anti")["rule"]
    more = held.join(keys, on=KEY, how="anti")["rule"]
    wrong = [(f"{rule} 不在预警里", f"{rule} in no alert") for rule in lost]
    wrong += [(f"{rule} 已不成立", f"{rule} holds no more") for rule in more]
    twice = len(held) - held.select(KEY).n_unique() if len(held) else 0
    wrong += [("有信号在两处", "signals held twice")] * twice
    return _check(
        "alerts_signals", len(keys), len(held), wrong,
        "本期信号数 = 各预警内信号数之和", "Signals of the run = sum of signals in alerts",
    )  # fmt: skip


def _cause(con: Connection) -> Check:
    caused = or_(
        exists().where(alert_signal.c.alert_id == alert.c.id), exists().where(clue.c.alert_id == alert.c.id)
    )  # fmt: skip
    unclosed = alert.c.closed_at.is_(None)
    total = con.execute(select(func.count()).select_from(alert).where(unclosed)).scalar_one()
    wrong = con.execute(select(alert.c.id).where(unclosed, ~caused).order_by(alert.c.id)).scalars().all()
    return _check(
        "alerts_cause", total, total - len(wrong), [(f"alert:{n}", f"alert:{n}") for n in wrong],
        "每件未办结的预警都有信号或线索", "Every open alert has a signal or a clue",
    )  # fmt: skip


def _held(con: Connection, name: str, states: tuple[str, ...], *, closed: bool, zh: str, en: str) -> Check:
    joined = select(alert.c.id).join_from(alert_signal, alert).where(alert_signal.c.state.in_(states))
    misplaced = alert.c.closed_at.is_(None) if closed else alert.c.closed_at.is_not(None)
    total = con.execute(select(func.count()).select_from(joined.subquery())).scalar_one()
    wrong = con.execute(joined.where(misplaced).order_by(alert.c.id)).scalars().all()
    return _check(name, total, total - len(wrong), [(f"alert:{n}", f"alert:{n}") for n in wrong], zh, en)


def _one_open(con: Connection) -> Check:
    each = select(func.count().label("n")).where(alert.c.closed_at.is_(None)).group_by(alert.c.subject, alert.c.subject_key).subquery()  # fmt: skip
    subjects, alerts = con.execute(select(func.count(), func.coalesce(func.sum(each.c.n), 0)).select_from(each)).one()
    wrong = [("同一对象有两件", "a subject with two")] * (int(alerts) - subjects)
    return _check(
        "alerts_one_open", subjects, int(alerts), wrong,
        "每个对象至多一件未办结的预警", "One open alert a subject at most",
    )  # fmt: skip


def _check(name: str, left: int, right: int, wrong: list[tuple[str, str]], zh: str, en: str) -> Check:
    if not wrong:
        return Check(name, True, left, right, f"{zh}：{left:,} = {right:,}", f"{en}: {left:,} = {right:,}")
    some, some_en = ("；".join(pair[n] for pair in wrong[:_SHOWN]) for n in (0, 1))
    return Check(
        name, False, left, right,
        f"{zh}：{left:,} 与 {right:,}，{len(wrong):,} 项不符，例如 {some}",
        f"{en}: {left:,} and {right:,}, {len(wrong):,} differ, such as {some_en}",
    )  # fmt: skip
