"""The dashboard's frame: who is there, which run and places are shown, in which language, and the pages of their role.

`buluo serve`, `streamlit run app.py` or `uvicorn app:app` serves the home that BULUO_HOME names, by default data/local. The
same file is the server's entry (`app`, behind the gate) and the script that Streamlit runs for every visitor. The clock is
asked here and handed down.
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, BinaryIO

import streamlit as st
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from streamlit.delta_generator import DeltaGenerator
from streamlit.proto.BackMsg_pb2 import BackMsg

from monitoring import ui
from monitoring.access import Scope
from monitoring.desk.due import LATE
from monitoring.desk.uploads import LARGEST, take_files
from monitoring.gate import Frame, Gate, Guarded, Posted, Unsafe, caller_of, form_token, opened_store, wrong_options
from monitoring.gate.sample_sheet import sample_sheet
from monitoring.gate.sheet import sheet
from monitoring.language import LANGUAGES, Language
from monitoring.pages import (
    admin,
    alerts,
    checklist,
    clues,
    coverage,
    data,
    economics,
    exits,
    household,
    links,
    lists,
    misses,
    model,
    overview,
    reports,
    rules,
    whatif,
)
from monitoring.people import ROLES, Caller, Denied, Person, SessionOver, may
from monitoring.people.callers import who
from monitoring.people.demo import misplaced
from monitoring.people.settings import load_security
from monitoring.queries import places
from monitoring.reports.making import print_report
from monitoring.store import Store
from monitoring.ui import Desk, View
from monitoring.warehouse import NoWarehouse, Publication, Warehouse, publication

ROOT = Path(__file__).parent
ALL = "全部"
UNKNOWN = "不明"
TITLES = {
    "overview": ("总览", overview.page),
    "alerts": ("预警处置", alerts.page),
    "household": ("户档案", household.page),
    "coverage": ("应保未保", coverage.page),
    "exits": ("退出复核", exits.page),
    "checklist": ("不漏一户", checklist.page),
    "clues": ("线索登记", clues.page),
    "reports": ("报表", reports.page),
    "lists": ("风险名单", lists.page),
    "whatif": ("政策测算", whatif.page),
    "rules": ("政策规则", rules.page),
    "model": ("风险模型", model.page),
    "misses": ("漏判抽查", misses.page),
    "economics": ("成效", economics.page),
    "data": ("数据", data.page),
    "links": ("对人复核", links.page),
}


def home() -> Path:
    return Path(os.environ.get("BULUO_HOME") or ROOT / "data" / "local")


def clock() -> datetime:
    return datetime.now(UTC)


# --- the server's side


@asynccontextmanager
async def lifespan(server: object) -> AsyncIterator[None]:
    """Refuses to start where something is unsafe; then the gate, until the end. Imports are done by now: they are kept out
    of the collection that Streamlit makes after every script run."""
    wrong = wrong_options(st.get_option, ROOT, gate.house.security.tls)
    known = misplaced(gate.house.store, sample=_is_sample())
    if wrong or known:
        raise Unsafe([*wrong, *([known] if known else [])])
    async with gate.lifespan(server):
        gc.collect()
        gc.freeze()
        yield


async def front(request: Request) -> Response:
    """Streamlit knows its first page as "/" only: their names lead there, with what was picked."""
    return RedirectResponse(f"/?{request.url.query}" if request.url.query else "/", 303)


def frame_kind(data: bytes) -> Frame:
    """Of what a browser may send over the socket only reruns, stops and heartbeats are for us: no control of caches, no
    uploads, no deferred downloads."""
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except Exception:  # whatever protobuf raises: what cannot be read is not for us
        return Frame.DROPPED
    kind = message.WhichOneof("type")
    if kind == "rerun_script":
        return Frame.PASSED if message.rerun_script.is_auto_rerun else Frame.PERSON
    return Frame.PASSED if kind in ("stop_script", "app_heartbeat") else Frame.DROPPED


def visit_sheet(store: Store, caller: Caller, asked: Mapping[str, Any], at: datetime) -> str:
    return sheet(store, _newest, caller, int(asked["alert"]), at)


def sampled_sheet(store: Store, caller: Caller, asked: Mapping[str, Any], at: datetime) -> str:
    return sample_sheet(store, _newest, caller, int(asked["sample"]), at)


def report_print(store: Store, caller: Caller, asked: Mapping[str, Any], at: datetime) -> str:
    """A report to print; `form` is internal or public, `township` one township of those that the caller may see."""
    town = asked.get("township")
    picked = Scope() if town is None else Scope(townships=(None if town == UNKNOWN else town,))
    try:
        return print_report(
            store, caller, publication(home()), asked["kind"], asked["period"], asked["form"] == "public", at, picked
        )
    except (NoWarehouse, ValueError) as problem:
        raise Denied(str(problem)) from problem


def upload(
    store: Store, caller: Caller, asked: Mapping[str, Any], files: Sequence[tuple[str, BinaryIO]], at: datetime
) -> str:
    """Files into a period's inbox; then back to the page, which lists them."""
    take_files(store, caller, home(), asked["period"], files, at)
    return f"/data?inbox={asked['period']}"


def _newest() -> Warehouse:
    try:
        published = publication(home())
    except NoWarehouse as problem:
        raise Denied("还没有可以看的数据") from problem
    return _opened(published.run_of(None).path)


@lru_cache(maxsize=1)
def _opened(path: Path) -> Warehouse:
    return Warehouse(path)


def _is_sample() -> bool:
    """Whether there is nothing real to see: the newest run is the sample county's, or there is none."""
    try:
        path = publication(home()).run_of(None).path
    except NoWarehouse:
        return True
    return places.county(_opened(path)).sample


def failed(error: Exception) -> bool:
    """A page broke: the log has the trace under a number, the person gets words and that number, and no data."""
    t = Language(st.session_state.get("lang", "zh"))
    if isinstance(error, SessionOver):
        ui.session_over(t)
    elif said := ui.words_of(error, t):
        ui.failure(said)
    else:
        known_as = secrets.token_hex(3)
        logging.getLogger("buluo").error("page failed %s", known_as, exc_info=error)
        ui.failure(
            t("这一页没能显示出来。数据没有丢失，也没有改动。请刷新；还不行，请把编号 {n} 告诉管理员。", n=known_as)
        )
    return True


# --- the script's side


def main() -> None:
    st.set_page_config(page_title="不落 Buluo", page_icon=str(ui.ASSETS / "icon.png"), layout="wide")
    ui.style()
    ui.recall("lang", list(LANGUAGES))
    desk = _desk(Language(st.session_state.get("lang", "zh")))
    try:
        published = publication(home())
    except NoWarehouse:
        published = None
    if ROLES[desk.person.role].reach == "none":
        _office(desk, published)
    elif published is None:
        with st.container(key="frame", horizontal=True, vertical_alignment="center", gap="small"):
            _menu(desk)
        ui.title(desk.t("不落 · 低收入人口监测"))
        ui.empty(desk.t("还没有可以看的数据。请先运行 buluo run --period 2026-11，或 buluo demo 载入样例县。"))
    else:
        _pages(desk, published)


def _desk(t: Language) -> Desk:
    """Who is there: told by the gate, looked up in the store on every run. Ends the page where nobody is."""
    caller, at = caller_of(st.user.to_dict()), clock()
    if caller is None:
        ui.over(t)
    store = opened_store(home())
    try:
        with store.read() as con:
            person = who(con, caller, at)
    except SessionOver:
        ui.over(t)
    return Desk(t=t, store=store, caller=caller, person=person, now=clock, since=at)


def _office(desk: Desk, published: Publication | None) -> None:
    """For those who keep accounts or read the journal: no run, no places, no persons."""
    towns: dict[str, list[str]] = {}
    if published is not None:
        warehouse = ui.open_warehouse(str(published.run_of(None).path))
        towns = {
            town: [village for village in places.villages(warehouse, town) if village]
            for town in places.townships(warehouse)
            if town
        }
    chosen = st.navigation(
        [st.Page(lambda: admin.page(desk, towns), title=desk.t("系统"), url_path="admin", default=True)], position="top"
    )
    with st.container(key="frame", horizontal=True, vertical_alignment="center", gap="small"):
        _menu(desk)
    chosen.run()


def _pages(desk: Desk, published: Publication) -> None:
    view, bar = _frame(desk, published)
    allowed = [name for name in TITLES if may(desk.person.role, f"page.{name}")]
    pages = [_page(view, name, first=name == allowed[0]) for name in allowed]
    chosen = st.navigation(pages, position="top")
    with bar:
        _age(view)
        _menu(view)
    if view.county.sample:
        ui.banner(view.t("样例县：这里的人和事都是编造的，只供演示。"))
    if view.county.period != published.latest:
        ui.banner(
            view.t(
                "正在看 {month}：名单和数字按当时所知显示；预警、走访等办理情况是现在的。",
                month=view.t.month(view.county.period),
            )
        )
    chosen.run()


def _page(view: View, name: str, first: bool) -> Any:
    title, page = TITLES[name]
    return st.Page(lambda: page(view), title=view.t(title), url_path=name, default=first)


def _frame(desk: Desk, published: Publication) -> tuple[View, DeltaGenerator]:
    """The row of pickers; its choices stand in the address, so that a link shows the same."""
    t, person = desk.t, desk.person
    bar = st.container(key="frame", horizontal=True, vertical_alignment="center", gap="small")
    with bar:
        periods = [run.period for run in published.runs]
        ui.recall("period", periods)
        period = st.selectbox(
            t("期"), periods, key="period", format_func=t.month, label_visibility="collapsed", width=140
        )
        ui.keep("period", period, published.latest)
        warehouse = ui.open_warehouse(str(published.run_of(period).path))
        whole = t("全县") if person.places is None else t("负责的全部地方")
        township = _pick("township", t("乡镇"), _townships(warehouse, person), whole, t)
        scope, village = Scope(allowed=person.places), ALL
        if township != ALL:
            town = None if township == UNKNOWN else township
            scope = Scope(townships=(town,), allowed=person.places)
            village = _pick("village", t("村"), _villages(warehouse, person, town), t("全部村（社区）"), t)
            if village != ALL:
                scope = Scope(villages=((town, None if village == UNKNOWN else village),), allowed=person.places)
        ui.keep("village", village, ALL)
    chosen = {"period": period, "township": township, "village": village, "lang": t.code}
    carried = tuple(
        (key, value) for key, value in chosen.items() if value and value != ALL and (key, value) != ("lang", "zh")
    )
    view = View(
        t=t, store=desk.store, caller=desk.caller, person=person, now=desk.now, since=desk.since, carried=carried,
        warehouse=warehouse, scope=scope, county=ui.known(places.county, warehouse), home=home(), published=published,
    )  # fmt: skip
    return view, bar


def _pick(key: str, label: str, names: Sequence[str | None], whole: str, t: Language) -> str:
    """One picker of places; only the person's own are in it, whatever the address says."""
    options = [ALL, *[name or UNKNOWN for name in names]]
    ui.recall(key, options)
    chosen = st.selectbox(
        label, options, key=key, label_visibility="collapsed", width=170,
        format_func=lambda name: whole if name == ALL else t.place(None if name == UNKNOWN else name),
    )  # fmt: skip
    ui.keep(key, chosen, ALL)
    return chosen or ALL


def _townships(warehouse: Warehouse, person: Person) -> list[str | None]:
    found = ui.known(places.townships, warehouse)
    own = None if person.places is None else {township for township, _ in person.places}
    return [name for name in found if own is None or name in own]


def _villages(warehouse: Warehouse, person: Person, township: str | None) -> list[str | None]:
    return [name for name in ui.known(places.villages, warehouse, township) if person.holds(township, name)]


def _menu(desk: Desk) -> None:
    """Who is logged in, for which places; language, password, log-out."""
    t, person = desk.t, desk.person
    role = t.pick(ROLES[person.role].zh, ROLES[person.role].en)
    with st.popover(f"{person.person} · {role}"):
        where = t.listed(" ".join(part for part in place if part) for place in person.places or ())
        if ROLES[person.role].reach != "none":
            ui.note(t.named(t("负责"), where or t("全县")))
        ui.note(t.named(t("账号"), person.name))
        code = st.selectbox("语言 / Language", list(LANGUAGES), key="lang", format_func=LANGUAGES.__getitem__)
        ui.keep("lang", code, "zh")
        token = escape(form_token(desk.store, desk.caller.session))
        lang = "" if t.code == "zh" else f"?lang={t.code}"
        ui.html(
            f'<p><a href="/password{lang}" target="_self">{escape(t("修改密码"))}</a></p>'
            f'<form method="post" action="/logout{lang}" target="_self"><input type="hidden" name="token" value="{token}">'
            f'<button class="bl-button" type="submit">{escape(t("退出登录"))}</button></form>'
        )


def _age(view: View) -> None:
    """How old the data are, and what is late."""
    t, county = view.t, view.county
    text, found = t("数据截至 {day}", day=county.as_of.isoformat()), view.sources
    late = found.of(LATE) if found else []
    named = t.listed(ui.feed(name, t) for name in late)
    told = [text, view.sources_said(), *([t.named(t("未到"), named)] if 0 < len(late) <= 2 else [])]
    ui.html(f'<span class="bl-note" title="{ui.said(named)}">{ui.said(t.clauses(told))}</span>')


if __name__ == "__main__":
    main()
else:
    gate = Gate(
        lambda: opened_store(home()),
        clock,
        load_security(home()),
        ui.ASSETS,
        frame_kind,
        [
            Guarded("/sheet/{alert:int}", visit_sheet),
            Guarded("/sheet/sample/{sample:int}", sampled_sheet),
            Guarded("/report/{kind}/{period}/{form}", report_print),
            Guarded("/report/{kind}/{period}/{form}/{township}", report_print),
            Posted("/upload/{period}", upload, LARGEST),
        ],
    )
    app = st.App(
        Path(__file__).resolve(),
        lifespan=lifespan,
        on_script_error=failed,
        middleware=gate.middleware,
        routes=[
            *gate.routes,
            *(Route(f"/{name}", front, methods=["GET"]) for name in ("overview", "admin")),
            Mount(ui.ASSET_ROUTE, StaticFiles(directory=ui.ASSETS), name="assets"),
        ],
    )
