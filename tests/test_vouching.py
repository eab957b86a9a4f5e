"""Who can vouch for a household: one state each whatever the facts, nobody left out, and silence never looks like good news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from monitoring import ui
from monitoring.access import Scope
from monitoring.language import Language
from monitoring.pages import overview as overview_page
from monitoring.people import Person, operator
from monitoring.queries import blindness, checklist, vouching
from monitoring.queries.places import County
from monitoring.store import Store
from monitoring.store.schema import taken_in
from monitoring.strict_toml import PolicyError
from monitoring.vouching.live import NOTHING, Live
from monitoring.vouching.settings import load_vouching
from monitoring.vouching.stating import STATES
from monitoring.warehouse import Publication, Published, Warehouse, publication
from tests.runs import Tables, number, run_quietly, small_county, write_feeds
from tests.some_alerts import add_alert
from tests.stores import NOON
from tests.vouching_county import AS_OF, Home, at, county_of

EVERYWHERE = Scope()
PLACES = [("甲镇", "东村"), ("甲镇", "西村"), ("乙镇", "东村"), ("乙镇", None), (None, None)]
DAYS = st.one_of(st.none(), st.sampled_from([0, 89, 90, 91, 400]).map(lambda days: AS_OF - timedelta(days=days)))
homes = st.lists(
    st.builds(
        Home, place=st.sampled_from(PLACES), help=st.sampled_from(["", "", "低保"]), visited=DAYS, signals=st.integers(0, 2),
        needs=st.integers(0, 1), request=st.booleans(), blind=st.integers(0, 2),
    ),
    min_size=1, max_size=12,
)  # fmt: skip
acts = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(["alert", "good visit", "bad visit", "help"]), st.integers(0, 120)), max_size=8
)  # fmt: skip


def happened(acts: list[tuple[int, str, int]], taken: bool = True) -> Live:
    """What people did: (household, what, days before as-of)."""
    visits = sorted(
        (AS_OF - timedelta(days=days), key, what == "good visit") for key, what, days in acts if "visit" in what
    )
    return Live(
        taken, AS_OF,
        pl.DataFrame([(f"H{key}", n, AS_OF) for n, (key, what, _) in enumerate(acts) if what == "alert"], schema=NOTHING.alerts.schema, orient="row"),
        pl.DataFrame([(f"H{key}", day, "李走访", good) for day, key, good in visits if day > AS_OF - timedelta(days=90)], schema=NOTHING.visits.schema, orient="row"),
        NOTHING.decisions,
        pl.DataFrame([(f"H{key}", "temporary") for key, what, _ in acts if what == "help"], schema=NOTHING.help.schema, orient="row"),
    )  # fmt: skip


def expected(home: Home, did: list[tuple[int, str, int]], taken: bool, late: bool) -> str:
    """The rule in plain words, apart from the SQL."""
    mine = [(what, days) for key, what, days in did if key == home.key]
    if any(what == "alert" for what, _ in mine) or home.request or (not taken and home.signals):
        return "open"
    if home.help or any(what == "help" for what, _ in mine):
        return "helped"
    seen = [(AS_OF - timedelta(days=days), what) for what, days in mine if "visit" in what and days < 90]
    last = max((day for day, _ in seen), default=None)
    if last is not None and (home.visited is None or last >= home.visited):
        # several on one day: the order in which they were recorded decides; here the good one comes last
        if any(what == "good visit" for day, what in seen if day == last):
            return "visited"
    elif home.visited is not None and home.visited > AS_OF - timedelta(days=90):
        return "visited"
    return "cleared" if not home.needs and not home.blind and not late else "nobody"


@settings(max_examples=20, deadline=None)
@given(homes=homes, acts=acts, taken=st.booleans(), late=st.sets(st.sampled_from(["甲镇", "乙镇", None])))
def test_the_states_partition_the_roster_whatever_the_facts(
    homes: list[Home], acts: list[tuple[int, str, int]], taken: bool, late: set[str | None]
) -> None:
    county = at(homes)
    warehouse, now = county_of(county, list(late)), happened(acts, taken)
    wanted = {home.key: expected(home, acts, taken, home.place[0] in late) for home in county}
    rows, total = vouching.ledger(warehouse, EVERYWHERE, now, None, size=100)
    assert total == len(county) and dict(zip(rows["household_key"], rows["state"], strict=True)) == wanted
    counted = Counter(wanted.values())
    assert vouching.totals(warehouse, EVERYWHERE, now).of == {state: counted[state] for state in STATES}
    by_place = vouching.by_place(warehouse, EVERYWHERE, now)
    assert {state: by_place[state].sum() for state in STATES} == {state: counted[state] for state in STATES}
    warehouse.close()


def test_a_state_by_itself() -> None:
    """Each state once, and what comes before what."""
    fresh = AS_OF - timedelta(days=89)
    county = at([
        Home(), Home(blind=1), Home(needs=1), Home(visited=fresh, blind=1), Home(visited=AS_OF - timedelta(days=90), blind=1),
        Home(help="低保", blind=1), Home(help="低保", request=True), Home(help_late="低保", blind=1), Home(place=("乙镇", "东村")),
    ])  # fmt: skip
    warehouse = county_of(county, late=["乙镇"])
    rows, _ = vouching.ledger(warehouse, EVERYWHERE, Live(True, AS_OF), None)
    states = dict(zip(rows["household_key"], rows["state"], strict=True))
    told = [states[home.key] for home in county]
    assert told == ["cleared", "nobody", "nobody", "visited", "nobody", "helped", "open", "nobody", "nobody"]
    late, _ = vouching.ledger(warehouse, EVERYWHERE, Live(True, AS_OF), None, feed="medical")
    assert late["household_key"].to_list() == [9]


def test_what_people_did_covers_members_of_the_sets() -> None:
    """A dated conclusion, help, a visit and an answer count beside the files, each for the sets that ask for it."""
    county = at([
        Home(sets={1: "无人担保", 7: "未走访"}), Home(sets={1: "无人担保"}), Home(sets={7: "未走访", 16: "未走访"}), Home(sets={15: "正在办理"}),
        Home(sets={8: "未发放"}),
    ])  # fmt: skip
    warehouse = county_of(county)
    plain = {row["number"]: row for row in checklist.checklist(warehouse, EVERYWHERE).to_dicts()}
    assert [plain[n]["missing"] for n in (1, 7, 16)] == [2, 2, 1]
    households = pl.DataFrame([(home.id,) for home in county], schema={"household_id": pl.String}, orient="row")
    done = Live(
        True, AS_OF, visits=pl.DataFrame([("H3", AS_OF, "李", False)], schema=NOTHING.visits.schema, orient="row"),
        decisions=pl.DataFrame([("H1", AS_OF), ("H5", AS_OF)], schema=NOTHING.decisions.schema, orient="row"), answered=households,
    )  # fmt: skip
    now = checklist.counts(warehouse, EVERYWHERE, done, ())
    found = {row["number"]: (row["covered"], row["missing"]) for row in now.to_dicts()}
    assert (
        found[1] == (1, 1) and found[7] == (1, 1) and found[16] == (1, 0) and found[15] == (1, 0) and found[8] == (0, 1)
    )
    people, total = checklist.members(warehouse, EVERYWHERE, 1, "covered", live=done)
    assert (total, people["household_id"][0], people["how"][0]) == (1, "H1", "已有核实结论")


def test_a_township_whose_source_is_silent_counts_everybody_as_unknown() -> None:
    county = at([Home(sets={3: "没有得到救助"}), Home(), Home(), Home(place=("乙镇", "东村"))])
    for late, blind in (((), 0), (("甲镇",), 2), (("乙镇",), 1), (("甲镇", "乙镇"), 3)):
        warehouse = county_of(county, late=late)
        row = checklist.counts(warehouse, EVERYWHERE, NOTHING, (), 3).to_dicts()
        assert sum(r["blind"] for r in row) == blind
        assert sum(r["missing"] for r in row) == 1


# --- whole runs

FEEDS = ("registry", "dibao", "monitored", "clues", "disability", "visits")


def _with_everybody(feeds: Tables) -> tuple[Tables, dict[str, str]]:
    """The county and, for every subset of FEEDS, a household that stands in just these; its person's name by subset."""
    where = {"乡镇": "甲镇", "村": "甲东村"}
    names: dict[str, str] = {}
    subsets = [chosen for n in range(1, len(FEEDS) + 1) for chosen in combinations(FEEDS, n)]
    for n, chosen in enumerate(subsets, 1):
        name = f"孙{'一二三四五六七八九十'[n // 10]}{'一二三四五六七八九十'[n % 10]}"
        names["+".join(chosen)] = name
        person = {"姓名": name, "证件号码": number("19600303", 300 + n)}
        rows: dict[str, dict[str, str]] = {
            "registry": {"户编号": f"S{n:03d}", "与户主关系": "户主", "户籍类型": "农村", **where},
            "dibao": {"救助证编号": f"DS{n}", "享受起始日期": "2024-01-01", **where},
            "monitored": {"户编号": f"JS{n}", "户类型": "边缘易致贫户", **where},
            "clues": {"线索编号": f"XS{n}", "来源": "信访", "登记日期": "2026-11-02", **where},
            "disability": {"残疾类别": "肢体", "残疾等级": "二级", "状态": "有效"},
            "visits": {"走访日期": "2026-11-20", "走访人": "网格员", "走访方式": "入户", **where},
        }
        for feed in chosen:
            feeds.setdefault(feed, []).append({**person, **rows[feed]})
    return feeds, names


def _medical(feeds: Tables) -> Tables:
    """Somebody seriously ill in each township, and ordinary settlements of others."""
    feeds["medical"] = [
        {"姓名": row["姓名"], "证件号码": row["证件号码"], "结算日期": "2026-11-05", "重大疾病": "是" if n % 4 == 0 else "否",
         "总费用": "60000", "个人自付": "30000", "医疗救助": "0"}
        for n, row in enumerate(feeds["registry"]) if row["户编号"].startswith("H")
    ]  # fmt: skip
    return feeds


@pytest.fixture(scope="session")
def counties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One county twice: whole, and without the medical rows of 甲镇."""
    feeds, names = _with_everybody(_medical(small_county()))
    of_town = {row["证件号码"] for row in feeds["registry"] if row["乡镇"] == "甲镇"}
    cut = {**feeds, "medical": [row for row in feeds["medical"] if row["证件号码"] not in of_town]}
    found: dict[str, Any] = {"names": names}
    for kind, tables in (("whole", feeds), ("cut", cut)):
        folder = tmp_path_factory.mktemp(kind)
        run_quietly(folder / "home", "2026-11", write_feeds(tables, folder / "inbox"))
        found[kind] = Warehouse(publication(folder / "home").run_of(None).path)
    yield found
    found["whole"].close()
    found["cut"].close()


def test_a_household_in_any_subset_of_the_feeds_is_found_by_name(counties: dict[str, Any]) -> None:
    warehouse, clear = counties["whole"], Scope(masked=False)
    everybody, _ = vouching.ledger(warehouse, clear, NOTHING, None, size=10_000)
    known = {row["name"]: row for row in everybody.iter_rows(named=True)}
    assert len(counties["names"]) == 2 ** len(FEEDS) - 1
    for subset, name in counties["names"].items():
        assert known[name]["state"] in STATES, subset
        assert known[name]["registered"] == ("registry" in subset.split("+"))
    for name in list(counties["names"].values())[::20]:
        assert vouching.ledger(warehouse, clear, NOTHING, None, name)[0]["name"].to_list() == [name]


def test_the_roster_is_every_household_with_a_living_member(counties: dict[str, Any]) -> None:
    warehouse = counties["whole"]
    living = warehouse.frame("select household_key from membership where alive").unique()
    rows, total = vouching.ledger(warehouse, EVERYWHERE, NOTHING, None, size=10_000)
    assert sorted(rows["household_key"]) == sorted(living["household_key"]) and total == living.height
    beside = vouching.outside(warehouse)
    assert beside["households"] == beside["roster"] + beside["without_living"]


def test_a_silent_township_never_lowers_need_without_raising_unknowns_as_much(counties: dict[str, Any]) -> None:
    town = Scope(townships=("甲镇",))

    def need(warehouse: Warehouse) -> int:
        return int(
            warehouse.row("select count(*) as n from signal where township = '甲镇' and kind in ('gap', 'risk')")["n"]
        )

    def sets(warehouse: Warehouse) -> tuple[int, int]:
        row = checklist.counts(warehouse, town, NOTHING, (), 3).to_dicts()
        return sum(r["missing"] for r in row), sum(r["unknown"] + r["blind"] for r in row)

    whole, cut = counties["whole"], counties["cut"]
    assert need(cut) < need(whole)  # the rows did matter
    (missing, unknown), (missing_cut, unknown_cut) = sets(whole), sets(cut)
    assert unknown_cut - unknown >= missing - missing_cut and unknown_cut > unknown
    seen = [vouching.totals(warehouse, town, NOTHING).of for warehouse in (whole, cut)]
    assert seen[1]["cleared"] == 0  # nobody there is cleared by data any more
    assert seen[1]["nobody"] - seen[0]["nobody"] >= seen[0]["cleared"] - seen[1]["cleared"]
    late, _ = vouching.ledger(cut, town, NOTHING, None, feed="medical", size=10_000)
    assert late.height == sum(seen[1].values())  # each is named with what is missing
    other = Scope(townships=("乙镇",))
    assert vouching.totals(whole, other, NOTHING).of == vouching.totals(cut, other, NOTHING).of
    blind = [
        sum(blindness.blindness(w, town).filter(pl.col("rule") == "RISK-MEDICAL")["blind"].to_list())
        for w in (whole, cut)
    ]
    assert blind[1] - blind[0] >= need(whole) - need(cut)


def test_whom_a_rule_could_not_judge_adds_up_to_its_unknowns(counties: dict[str, Any]) -> None:
    warehouse = counties["whole"]
    stated = warehouse.frame(
        "select rule, sum(unknown)::BIGINT as n from rule_outcome join rule using (rule) where subject in ('household', 'person') group by all"
    ).filter(pl.col("n") > 0)
    each = warehouse.frame(
        "select rule, count(*) as n from (select unnest(rules) as rule from unjudged join unjudged_kind using (kind)) group by rule"
    )
    assert dict(stated.sort("rule").rows()) == dict(each.sort("rule").rows()) != {}
    rows, total = blindness.of_whom(warehouse, EVERYWHERE, "GAP-DIBAO")
    assert total == dict(stated.rows())["GAP-DIBAO"] and all("income_pc" in missing for missing in rows["missing"])


def test_the_sets_of_a_run_equal_counts_made_another_way(counties: dict[str, Any]) -> None:
    warehouse = counties["whole"]
    people = warehouse.frame("from person_snapshot").filter("alive")
    homes = warehouse.frame("from household_snapshot")
    rows = {row["number"]: row for row in checklist.checklist(warehouse, EVERYWHERE).to_dicts()}
    risk = homes.filter("at_risk")
    helped = pl.col("any_dibao") | pl.col("any_tekun") | pl.col("any_low_income") | pl.col("refused_12m")
    assert (rows[1]["members"], rows[1]["covered"]) == (risk.height, risk.filter(helped).height)
    assert rows[2]["members"] == people.filter("severe").height
    assert rows[3]["members"] == people.filter("seriously_ill").height
    assert rows[18]["members"] == homes.height == rows[18]["covered"] + rows[18]["unknown"]
    assert rows[15]["members"] == warehouse.row("select count(*) as n from std_clues where counts")["n"]
    assert (
        rows[17]["no_data"] and rows[8]["no_data"]
    )  # no case store was asked; no care-group file: unknown, never full
    assert checklist.at_most(rows[18])[0] == homes.height
    for row in rows.values():
        assert row["members"] == row["covered"] + row["missing"] + row["unknown"]


# --- what is in force


def test_the_thresholds_are_read_strictly_with_all_complaints_at_once(tmp_path: Path) -> None:
    shipped = load_vouching(None, AS_OF)
    assert shipped.visit_days == 90 and {due.by for due in shipped.feeds} == {"township", "county"}
    own = tmp_path / "policy" / "vouching.toml"
    own.parent.mkdir()
    own.write_text(
        '[[version]]\nfrom = 2027-01-01\nvisit_days = -1\nvisit_modes = []\nkinds = ["other"]\nwrong = 1\n'
        '[[version.feed]]\nfeed = "dibao"\nmonths = 1\nby = "village"\nclause = "x"\n', encoding="utf-8",
    )  # fmt: skip
    with pytest.raises(PolicyError) as refused:
        load_vouching(tmp_path, AS_OF)
    said = str(refused.value)
    for word in ("visit_days", "visit_modes", "kinds", "wrong", "village", "help_months"):
        assert word in said


@pytest.mark.parametrize(("day", "known"), [(date(2026, 12, 31), False), (date(2027, 1, 1), True)])
def test_the_version_of_the_day_speaks(tmp_path: Path, day: date, known: bool) -> None:
    text = (Path(__file__).parents[1] / "data" / "policy" / "vouching.toml").read_text("utf-8")
    own = tmp_path / "policy" / "vouching.toml"
    own.parent.mkdir()
    own.write_text(text.replace("[[version]]", "[[version]]\nfrom = 2027-01-01", 1), encoding="utf-8")
    if known:
        assert load_vouching(tmp_path, day).visit_days == 90
    else:
        with pytest.raises(PolicyError, match="没有在"):
            load_vouching(tmp_path, day)


def test_the_overviews_tile_tells_last_period_as_it_was_known_then_or_that_it_is_not_known(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Last month somebody could vouch for all three: for one by its open alert, which was closed only after this month's run was
    taken in."""
    files = {
        "2026-11": county_of(at([Home(), Home(blind=1), Home(blind=2)])),
        "2026-10": county_of(at([Home(), Home(blind=1), Home()]), period="2026-10"),
    }
    for period, warehouse in files.items():
        warehouse.path = tmp_path / f"{period}.duckdb"
    of_run = County("r1", "2026-11", AS_OF, "demo", True, 3, 3, 0)
    monkeypatch.setattr(ui, "open_warehouse", lambda path: files[Path(path).stem])
    monkeypatch.setattr(ui, "county", lambda warehouse: of_run)
    runs = tuple(Published(period, "r1", warehouse.path) for period, warehouse in files.items())
    with sqlite_store.write() as con:
        for period, moment in (("2026-10", NOON - timedelta(days=30)), ("2026-11", NOON)):
            con.execute(insert(taken_in).values(run_id="r1", period=period, as_of=AS_OF, at=moment, signals=0, opened=0, joined=0, gone=0))  # fmt: skip
    view = ui.View(
        t=Language("zh"), store=sqlite_store, caller=operator("root"), person=Person(None, "cli:root", "root", "administrator", None),
        now=lambda: NOON, since=NOON, warehouse=files["2026-11"], scope=Scope(), county=of_run, home=tmp_path,
        published=Publication("2026-11", runs),
    )  # fmt: skip
    add_alert(sqlite_store, household_id="H2", opened_period="2026-10", closed_at=NOON + timedelta(days=1))
    tile = overview_page._vouched(view, "2026-10")
    assert tile.figure == "33.3%" and "3 户中 2 户无人担保" in tile.below
    assert "上期 100.0%" in tile.below and "↑ 2" in tile.below  # H2 was an open item then, and is not now
    later = replace(view, now=lambda: NOON + timedelta(days=2), since=NOON + timedelta(days=2))
    assert overview_page._vouched(later, "2026-10").below == tile.below  # a past period does not change any more
    for unknown in (None, "2026-09"):
        told = overview_page._vouched(view, unknown).below
        assert "上期不明" in told and "↑" not in told and "上期 " not in told
