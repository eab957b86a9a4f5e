"""Twenty people at the queue at once, over sockets: what each interaction takes on the server.

usage: python -m benchmarks.working [--alerts 30000] [--people 20] [--seconds 60] [--home HOME] [--seed 1]

A home of its own is made: the sample county's run (or the published one of HOME), with so many open alerts spread over its
villages. The real server is started on it. Every person is a thread with a socket that speaks Streamlit's protocol as a
browser does, without drawing anything: comes within the first quarter of a minute, opens the queue, thinks for two to five seconds, switches tabs, searches, opens
alerts, turns pages, claims, records visits. An interaction lasts from sending the rerun until the message that says the
script has finished; messages are read in between, and understood afterwards. Everything runs on one machine, so that the
clients' own work (told as cores) is in the figures. Exits with 1 where anything failed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, text
from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks.crowd import Figures, Member, print_figures, together
from monitoring.store import Store, open_store
from monitoring.store.schema import account, alert, alert_event, alert_signal
from monitoring.warehouse import Warehouse, publication
from monitoring.working_days import local_day
from tests.serving import Served, own_home, serving
from tests.some_alerts import ORDER, alert_row, signal_row

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
VISIT = {
    "见到人没有": "见到了",
    "走访结论": "情况属实",
    "走访记录": "家里两人，收入减少",
}  # label -> what is chosen or typed
GOAL = 0.3  # seconds, of 95 in 100 interactions
STEPS = {"tab": 4, "search": 3, "open": 7, "turn": 2, "claim": 3, "record": 3}
Place = tuple[str, str]


@dataclass
class Person(Member):
    """One member of staff at the queue."""

    words: list[str] = field(default_factory=list)

    def work(self, until: float) -> None:
        """Goes on until the clock says so; every step waits for the page, then thinks."""
        self.come()
        self.visit.page = "alerts"
        self.rerun("load")
        while time.monotonic() < until:
            self.think()
            getattr(self, self.chance.choices(list(STEPS), list(STEPS.values()))[0])()

    def tab(self) -> None:
        options = [option.content for option in self.ids["tab"].options]
        self.rerun("tab", self.ids["tab"].id, string_array_value=[self.chance.choice(options[:5] + options[8:9])])

    def search(self) -> None:
        self.rerun("search", self.ids["find"].id, string_value=self.chance.choice(self.words))
        self.think()
        self.rerun("search", self.ids["find"].id, string_value="")

    def open(self) -> None:
        rows = self.ids.get("queue-row")
        if rows is not None and rows.options:
            self.rerun("open", rows.id, string_value=self.chance.choice(rows.options))

    def claim(self) -> None:
        """The open alert, where nobody has it; else another one is opened."""
        if not self._press("claim", "take-"):
            self.open()

    def turn(self) -> None:
        """Another page of the list, where there is more than one."""
        pager = next((one for one in self.ids.values() if hasattr(one, "num_pages")), None)
        if pager is not None:
            self.rerun("turn", pager.id, int_value=self.chance.randint(1, min(pager.num_pages, 9)))

    def record(self) -> None:
        """The form of the alert that is open, filled in and sent as a browser does: all fields with the button's rerun."""
        sent, *fields = [self.labelled(label) for label in ("保存", *VISIT)]
        if sent is None or None in fields:
            self.open()
            return
        message = BackMsg()
        for made, value in zip(fields, VISIT.values(), strict=True):
            message.rerun_script.widget_states.widgets.add(id=made.id, string_value=value)
        message.rerun_script.widget_states.widgets.add(id=sent.id).trigger_value = True
        self.send("record", message)

    def _press(self, kind: str, *prefixes: str) -> bool:
        found = [one for key, one in self.ids.items() if key.startswith(prefixes) and hasattr(one, "is_form_submitter")]
        if found:
            self.rerun(kind, self.chance.choice(found).id, trigger_value=True)
        return bool(found)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.working")
    asked.add_argument("--alerts", type=int, default=30_000)
    asked.add_argument("--people", type=int, default=20)
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("--home", type=Path)
    asked.add_argument("--seed", type=int, default=1)
    a = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        published = a.home or _published(Path(folder) / "published")
        home = own_home(published, Path(folder) / "home")
        warehouse = Warehouse(publication(home).run_of(None).path)
        places = _places(warehouse)
        store = open_store(home)
        with serving(home) as served:
            staff = _staff(served, places, a.people)
            _fill(store, warehouse, a.alerts, places, random.Random(a.seed))
            words = ["周德福", "李", "4417", *(village for _, village in places[:4])]

            def work(n: int, cookie: str, figures: Figures, until: float) -> None:
                with served.socket(cookie) as visit:
                    Person(visit, figures, random.Random(f"{a.seed} {n}"), words=words).work(until)

            figures, cores = together(served, staff, a.seconds, work)
        store.close()
        warehouse.close()
    title = f"{a.alerts} open alerts, {a.people} people, {a.seconds} s"
    print_figures(title, figures, cores)
    print(f"goal: p95 <= {GOAL * 1000:.0f} ms")
    return 1 if figures.wrong else 0


def _published(home: Path) -> Path:
    from pipelines.cli import main as buluo

    period = max(path.name for path in SAMPLE.iterdir() if path.is_dir())
    status = buluo(["run", "--period", period, "--inbox", str(SAMPLE / period), "--pack", "demo", "--home", str(home)])
    if status not in (0, 1):
        raise SystemExit(f"the sample's run ended with {status}")
    return home


def _places(warehouse: Warehouse) -> list[Place]:
    rows = warehouse.rows("select distinct township, village from household where village is not null order by 1, 2")
    return [(row["township"], row["village"]) for row in rows]


def _staff(served: Served, places: list[Place], people: int) -> list[str]:
    """Their accounts: of every seven one works for the county, three for a township, three for a village."""
    made = []
    for n in range(people):
        place = places[(n * 5) % len(places)]
        role = ("county_staff", *["township_staff"] * 3, *["village_staff"] * 3)[n % 7]
        town, village = place
        own: list[tuple[str, str | None]] = []
        if role != "county_staff":
            own = [(town, village if role == "village_staff" else None)]
        made.append(served.account(role, own))
    return made


def _fill(store: Store, warehouse: Warehouse, count: int, places: list[Place], chance: random.Random) -> None:
    """Open alerts of the sample's households and many more, one fifth of them in somebody's hands, one in eight overdue."""
    today = local_day(datetime.now(UTC))
    known = warehouse.rows("select household_id, township, village from household where village is not null")
    with store.read() as con:
        county = con.execute(select(account.c.id).where(account.c.role == "county_staff")).scalars().all()
    rows = []
    for n in range(count):
        one = known[n % len(known)]
        level = chance.choices(list(ORDER), [1, 3, 4, 2])[0]
        status = chance.choices(["new", "assigned", "verifying", "returned", "referred"], [75, 12, 6, 4, 3])[0]
        due, opened = today + timedelta(chance.randint(-3, 21)), today - timedelta(chance.randint(0, 40))
        names = chance.choice("周李王张陈") + chance.choice("德桂秀建") + chance.choice("福英兰国")
        held = status not in ("new", "returned")
        rows.append(alert_row(
            subject_key=f"W{n}", household_id=one["household_id"], township=one["township"], village=one["village"], name=names,
            find=f"{names} {n % 10_000:04d} {one['village']} {one['township']}", level=level, status=status, opened_on=opened,
            points=chance.randint(10, 120), due_date=due, verify_due_date=due, assignee=chance.choice(county) if held else None,
            assigned_at=datetime.now(UTC) if held else None, waiting_for="民政" if status == "referred" else None,
        ))  # fmt: skip
    with store.write() as con:
        con.execute(insert(alert), rows)
        ids = con.execute(select(alert.c.id, alert.c.subject_key, alert.c.opened_at)).all()
        con.execute(
            insert(alert_signal),
            [signal_row(key, rule, subject) for key, subject, _ in ids for rule in ("GAP-01", "RISK-02")],
        )
        con.execute(insert(alert_event), [{"alert_id": key, "at": at, "account_id": None, "by": "比对", "event": "opened", "status": "new",
                    "note": "", "detail": {"rules": ["GAP-01"]}} for key, _, at in ids])  # fmt: skip
        con.execute(text("analyze"))


if __name__ == "__main__":
    sys.exit(main())
