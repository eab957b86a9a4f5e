"""The run: read → conform → link → snapshot → assess (and forecast) → check → publish, under one lock, all or nothing.

Reads HOME/inbox/<period> (or another folder) and what earlier periods delivered; writes a delivery, a warehouse and the
pointer. Everything before publishing happens under temporary names: a run killed at any moment leaves the published one
readable, and the next run sweeps up.
"""

from __future__ import annotations

import calendar
import fcntl
import hashlib
import json
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from monitoring.checks import Check, audit
from monitoring.feeds import Feed, FeedError, load_feeds
from monitoring.misses.settings import load_sampling
from monitoring.policy import Pack, PolicyError
from monitoring.rules import Rule, compile_rules, load_policy, load_shadows, tell_not_compared
from monitoring.vouching.settings import load_vouching
from monitoring.working_days import add_working_days
from pipelines.abreast import checkpointing
from pipelines.assess import assess, assess_shadows
from pipelines.forecast import forecast, forecast_of
from pipelines.link import Delivered, Linking, link
from pipelines.reading import QUIET, Known
from pipelines.run.carrying import carry_coverage, carry_freshness, carry_history, carry_ledger, earlier_published
from pipelines.run.deliveries import Delivery, DeliveryStore, open_delivery, period_number
from pipelines.run.figures import write_figures
from pipelines.run.holding import reasons_to_hold
from pipelines.run.intake import Intake, inbox_files, receive
from pipelines.run.publishing import Publisher
from pipelines.run.vanishing import carry_vanished
from pipelines.snapshot import Facts, take_snapshot
from pipelines.vouch import vouch

Told = Callable[[str, int, int, str], None]
STEPS = ("read", "link", "snapshot", "assess", "check", "publish")
MEMORY_LIMIT = "2500MB"
SELDOM = (100_000, 20, 100)  # of gc: a run makes many objects and few cycles, to look for them costs a second of forty
SMALL_BYTES = 16_000_000  # of deliveries; below it, handing work to a second thread costs more than it saves


class Refused(Exception):
    """The run was refused and nothing changed; the text says why and what to do (exit status 2)."""


@dataclass
class Summary:
    """What a run did, for the screen and for HOME/runs/<run id>.json."""

    run_id: str
    period: str
    pack: str
    counts: dict[str, int]
    signals_by_level: dict[str, int]
    unusable: list[tuple[str, str]]
    checks: list[Check]
    steps: list[dict[str, float | str]] = field(default_factory=list)

    @property
    def to_look_at(self) -> bool:
        """Something waits for a person: quarantined rows, files or sheets that could not be used."""
        return bool(self.counts["quarantined"] or self.unusable or not all(c.ok for c in self.checks))


@dataclass(frozen=True)
class Order:
    """What is asked of a run."""

    home: Path
    period: str
    inbox: Path | None = None
    pack: str = "national-2020"
    accept_shrink: bool = False
    decisions: tuple[tuple[str, str, str, str], ...] = ()  # of the review of links: kind, one, other, verdict

    @property
    def folder(self) -> Path:
        """Where the period's files lie."""
        return self.inbox or self.home / "inbox" / self.period


def last_day(period: str) -> date:
    """As-of of a period: the month's last day. Raises Refused for what is not a month."""
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", period)
    if not found:
        raise Refused(f"期间应写作 2026-11 这样的年月，收到的是“{period}”")
    year, month = int(found[1]), int(found[2])
    return date(year, month, calendar.monthrange(year, month)[1])


@contextmanager
def only_run(home: Path) -> Iterator[None]:
    """One run at a time in a home; the second is refused. The lock dies with the process."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"另一次运行正在使用 {home}；请等它结束后再试") from None
        yield


Taken = tuple[Intake, Delivery]
Definitions = tuple[dict[str, Feed], dict[str, Pack], dict[str, Rule]]


def load_definitions(home: Path) -> Definitions:
    """Feeds, packs and rules, the home's included; raises Refused with every complaint of every file."""
    try:
        return load_feeds(home / "feeds"), *load_policy(home)
    except (FeedError, PolicyError) as error:
        raise Refused(str(error)) from error


def run(
    order: Order,
    told: Told,
    definitions: Definitions | None = None,
    taken: Taken | None = None,
) -> Summary:
    """The whole run; `told(step, done, of, what)` reports progress. Raises Refused, with nothing changed.

    For many runs in a row (the demo): `definitions` spares reading the same files again, `taken` is what another process
    has taken in meanwhile.
    """
    as_of, period = last_day(order.period), period_number(order.period)
    feeds, packs, rules = definitions or load_definitions(order.home)
    if order.pack not in packs:
        raise Refused(f"没有政策包“{order.pack}”；可用的有：{'、'.join(sorted(packs))}")
    inbox = order.folder
    if not inbox.is_dir() or not inbox_files(inbox):
        raise Refused(f"文件夹 {inbox} 不存在或没有文件；请把本期各部门的文件放进去")
    parameters = packs[order.pack].in_force(as_of)
    try:
        compiled = compile_rules(rules, parameters, as_of)
        shadows = load_shadows(order.home, packs)
        shadowed = compile_rules(shadows, parameters, as_of)
        vouching = load_vouching(order.home, as_of)
        load_sampling(order.home, as_of)  # used once alerts are made: refused now, not after the run
    except PolicyError as error:
        raise Refused(str(error)) from error
    foreseen = forecast_of(order.home, order.period)
    with only_run(order.home):
        store, publisher = DeliveryStore(order.home), Publisher(order.home)
        if taken is None:
            store.sweep()
        publisher.sweep()
        clock = _Clock(told)
        with clock.step("read"):
            intake, delivery = taken or take_in(order, feeds, told)
        earlier = store.current(period - 1)
        held = [] if order.accept_shrink else reasons_to_hold(feeds, earlier, delivery)
        if held:
            store.discard(delivery)
            raise Refused(
                "这次报送要先请人看一看，已发布的结果没有变：\n"
                + "\n".join(f"  · {r}" for r in held)
                + "\n核实无误后加 --accept-shrink 再运行"
            )
        judged_by = "".join(c.sha256 for c in compiled) + vouching.sha256 + foreseen.mark
        judged_by += "".join(f"{c.code} {c.sha256}" for c in shadowed)
        stem = _stem([*earlier, delivery], order, judged_by)
        run_id = publisher.free_run_id(stem)
        building = publisher.building(run_id)
        deliveries = [*earlier, delivery]
        small = sum(map(_bytes, deliveries)) < SMALL_BYTES

        def build(small: bool) -> Summary:
            """Everything from the deliveries to the published file; nothing of it is seen before the last step."""
            con = _open(building, order.home, small=small)
            try:
                with clock.step("link"):
                    carry_ledger(con, deliveries, period)
                    linking = Linking(
                        con, feeds, tuple(_delivered(d, feeds) for d in deliveries), as_of, order.decisions
                    )
                    link(linking)
                with clock.step("snapshot"):
                    facts = Facts(con, as_of, as_of.replace(day=1), parameters, linking.loaded)
                    take_snapshot(facts, feeds, order.pack)
                with clock.step("assess"):
                    telling = tell_not_compared(compiled, linking.loaded)
                    assess(con, telling, rules, parameters, order.period, as_of)
                    assess_shadows(con, shadowed, shadows, as_of)
                    forecast(con, foreseen, parameters, order.period, as_of)
                with clock.step("check"):
                    before = earlier_published(list(publisher.pointer()["periods"]), order.period)
                    write_figures(con, order.period, as_of)
                    carry_history(con, order.period, publisher.file_of(before) if before else None)
                    carry_vanished(
                        con, as_of, publisher.file_of(before) if before else None, decided=bool(order.decisions)
                    )
                    carry_coverage(con, order.period)
                    carry_freshness(con, sorted(feeds))
                    due = add_working_days(as_of, parameters.whole("alert.working_days_orange") or 0)
                    vouch(con, compiled, vouching, order.period, as_of, due)
                    counts = _write_run(con, run_id, order, as_of)
                    with checkpointing(con):  # the balances are only read
                        checks = audit(con)
                    if not all(c.ok for c in checks):
                        failed = "\n".join(f"  · {c.words}" for c in checks if not c.ok)
                        raise Refused(f"结果不平，没有发布（已发布的结果没有变）：\n{failed}")
                    summary = _summary(con, run_id, order, counts, intake, checks)
                with clock.step("publish"):
                    con.execute("CHECKPOINT")
                    con.execute("USE memory; DETACH building")
                    store.make_current(delivery)
                    publisher.publish(building, run_id, order.period, counts)
            except BaseException:
                con.close()
                building.unlink(missing_ok=True)
                raise
            threading.Thread(target=con.close).start()  # the file is closed; to let go of the memory takes a while
            return summary

        try:
            summary = build(small)
        except duckdb.InternalException as error:
            # A fault of the database and not of the data (duckdb 2.0.0 had one in about a hundred runs of a million persons,
            # its issue 24807 is alike): once more from the start, in one thread; what was built is thrown away.
            clock.steps.append({"name": "again", "why": str(error).splitlines()[0]})
            summary = build(True)
        summary.steps = clock.steps
        _write_steps(order.home, summary)
        return summary


def take_in(order: Order, feeds: dict[str, Feed], told: Told | None = None, known: Known | None = None) -> Taken:
    """Reads and conforms the order's inbox into a delivery that is not yet current. Raises Refused where nothing is usable.

    `known`: the `targets` of the feeds, for many inboxes in a row."""
    inbox, period, store = order.folder, period_number(order.period), DeliveryStore(order.home)
    writing = store.begin(period)
    intake = receive(
        inbox, feeds, writing, lambda done, of, name: told("read", done, of, name) if told else None, known
    )
    if not intake.ledger["part"]["feed"].drop_nulls().len():
        store.discard(Delivery(period, writing, frozenset()))
        why = "\n".join(f"  · {f}：{r}" for f, r in _unusable(intake))
        raise Refused(f"{inbox} 里没有一个文件能认出是哪种台账：\n{why}")
    return intake, store.finish(period, writing, _delivery_id(intake, feeds))


def _delivery_id(intake: Intake, feeds: dict[str, Feed]) -> str:
    """Names a delivery by what was read: every file's name with the digest of its bytes (why it could not be opened, where
    there are none), and the feed files that said what it means."""
    digest = hashlib.sha256()
    read = intake.ledger["part"].select("file", "sha256", "reason").unique("file", keep="first", maintain_order=True)
    for file, sha256, reason in read.rows():
        digest.update(file.encode() + b"\0" + (bytes.fromhex(sha256) or str(reason).encode()))
    digest.update(repr(sorted(feeds.items())).encode())
    return digest.hexdigest()[:12]


def retake(period: str, folder: Path, files: int) -> Taken:
    """What another process has taken in, from the delivery that it wrote: the ledger's parts are all that a run asks for."""
    delivery = open_delivery(period_number(period), folder)
    return Intake({"part": pl.read_parquet(delivery.ledger("part"))}, files), delivery


def _unusable(intake: Intake) -> list[tuple[str, str]]:
    """What could not be used and why: files, and in a file of which something could the sheets that hold more than notes."""
    parts = intake.ledger["part"]
    usable = set(parts.drop_nulls("feed")["file"].to_list())
    without = parts.filter(pl.col("feed").is_null()).select("file", "sheet", "reason")
    return [
        (f"{file} · {sheet}" if file in usable else str(file), str(reason or ""))
        for file, sheet, reason in without.rows()
        if file not in usable or reason not in QUIET
    ]


def _delivered(d: Delivery, feeds: dict[str, Feed]) -> Delivered:
    return Delivered(d.period, d.feeds, {f: path for f in feeds if (path := d.rows(f)) is not None})


def _stem(deliveries: list[Delivery], order: Order, rules: str) -> str:
    decided = [repr(sorted(order.decisions))] if order.decisions else []
    text = "|".join([*(f"{d.period} {d.folder.name}" for d in deliveries), order.pack, rules, *decided])
    return f"{order.period}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _bytes(delivery: Delivery) -> int:
    return sum(path.stat().st_size for path in delivery.folder.iterdir())


def _open(building: Path, home: Path, *, small: bool) -> duckdb.DuckDBPyConnection:
    """The file that is built. It has no log of writes: what a killed run leaves is thrown away anyway."""
    con = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT, "temp_directory": str(home / ".spill"), "preserve_insertion_order": False,
            "autoinstall_known_extensions": False, "autoload_known_extensions": False,
        },
    )  # fmt: skip
    con.execute("SET enable_progress_bar = false")
    con.execute("SET checkpoint_threshold = '1TB'")  # written when the run says so, not in the midst of every statement
    escaped = str(building).replace("'", "''")
    con.execute(f"ATTACH '{escaped}' AS building (RECOVERY_MODE no_wal_writes)")
    con.execute("USE building")
    if small:
        con.execute("SET threads = 1")
    return con


def _write_run(con: duckdb.DuckDBPyConnection, run_id: str, order: Order, as_of: date) -> dict[str, int]:
    """The one row of `run`; the county is the sample when every number of its registry has the unassigned prefix."""
    con.execute(
        """CREATE TABLE run AS SELECT $1 AS run_id, $2 AS period, $3::DATE AS as_of, $4 AS pack,
            (SELECT coalesce(bool_and(starts_with(number, '500999')), false) FROM std_registry) AS sample,
            (SELECT count(*) FROM person_snapshot) AS persons, (SELECT count(*) FROM household_snapshot) AS households,
            (SELECT count(*) FROM signal) AS signals""",
        [run_id, order.period, as_of, order.pack],
    )
    persons, households, signals = con.execute("SELECT persons, households, signals FROM run").fetchall()[0]
    ledger = con.execute(
        "SELECT sum(rows_read)::BIGINT, sum(loaded)::BIGINT, sum(duplicate)::BIGINT, sum(quarantined)::BIGINT, sum(not_data)::BIGINT FROM part WHERE this_period"
    ).fetchall()[0]
    names = ("rows_read", "loaded", "duplicate", "quarantined", "not_data")
    return {
        "persons": persons,
        "households": households,
        "signals": signals,
        **dict(zip(names, map(int, ledger), strict=True)),
    }


def _summary(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    order: Order,
    counts: dict[str, int],
    intake: Intake,
    checks: list[Check],
) -> Summary:
    levels = dict(con.execute("SELECT level, count(*) FROM signal GROUP BY level").fetchall())
    counts = {
        **counts,
        "files": intake.files,
        "to_review": con.execute("SELECT count(*) FROM link_review").fetchall()[0][0],
        "same_key": con.execute("SELECT count(*) FROM same_key").fetchall()[0][0],
    }
    return Summary(run_id, order.period, order.pack, counts, levels, _unusable(intake), checks)


class _Clock:
    """Seconds and peak memory of each step."""

    def __init__(self, told: Told) -> None:
        self.told, self.steps = told, list[dict[str, float | str]]()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.told(name, 0, 1, "")
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.steps.append({"name": name, "seconds": round(seconds, 3), "peak_mb": round(peak, 1)})
        self.told(name, 1, 1, "")


def _write_steps(home: Path, summary: Summary) -> None:
    folder = home / "runs"
    folder.mkdir(exist_ok=True)
    content = {
        "run": summary.run_id,
        "period": summary.period,
        "pack": summary.pack,
        "counts": summary.counts,
        "steps": summary.steps,
    }
    (folder / f"{summary.run_id}.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
