"""The dashboard's frame: which run and places are shown, in which language, and the pages.

`streamlit run app.py --server.address 127.0.0.1` (or `uvicorn app:app`) serves the home that BULUO_HOME names, by default
data/local. The same file is the server's entry (`app`) and the script that Streamlit runs for every visitor.
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from streamlit.delta_generator import DeltaGenerator

from monitoring import ui
from monitoring.access import Scope
from monitoring.language import LANGUAGES, Language
from monitoring.pages import alerts, checklist, coverage, data, household, overview
from monitoring.queries import places
from monitoring.warehouse import NoWarehouse, Publication, publication

ROOT = Path(__file__).parent
ALL = "全部"
UNKNOWN = "不明"


def home() -> Path:
    return Path(os.environ.get("BULUO_HOME") or ROOT / "data" / "local")


@asynccontextmanager
async def frozen(_: object) -> AsyncIterator[None]:
    """Imports are done: keep them out of the collection that Streamlit makes after every script run."""
    gc.collect()
    gc.freeze()
    yield


def failed(error: Exception) -> bool:
    """A page broke: the log has the trace under a number, the person gets words and that number, and no data."""
    known_as = secrets.token_hex(3)
    logging.getLogger("buluo").error("page failed %s", known_as, exc_info=error)
    t = Language(st.session_state.get("lang", "zh"))
    ui.failure(t("这一页没能显示出来。数据没有丢失，也没有改动。请刷新；还不行，请把编号 {n} 告诉管理员。", n=known_as))
    return True


def main() -> None:
    st.set_page_config(page_title="不落 Buluo", page_icon=str(ui.ASSETS / "icon.png"), layout="wide")
    ui.style()
    try:
        published = publication(home())
    except NoWarehouse as problem:
        t = Language(st.query_params.get("lang", "zh"))
        ui.title(t("不落 · 低收入人口监测"))
        ui.empty(
            t("还没有可以看的数据。请先运行 buluo run --period 2026-11，或 buluo demo 载入样例县。") + f" {problem}"
        )
        return
    t, view, bar = _frame(published)
    pages = [
        st.Page(lambda: overview.page(view), title=t("总览"), url_path="overview", default=True),
        st.Page(lambda: alerts.page(view), title=t("预警处置"), url_path="alerts"),
        st.Page(lambda: household.page(view), title=t("户档案"), url_path="household"),
        st.Page(lambda: coverage.page(view), title=t("应保未保"), url_path="coverage"),
        st.Page(lambda: checklist.page(view), title=t("不漏一户"), url_path="checklist"),
        st.Page(lambda: data.page(view), title=t("数据"), url_path="data"),
    ]
    chosen = st.navigation(pages, position="top")
    with bar:
        _age(view)
    if view.county.sample:
        ui.banner(t("样例县：这里的人和事都是编造的，只供演示。"))
    chosen.run()


def _frame(published: Publication) -> tuple[Language, ui.View, DeltaGenerator]:
    """The row of pickers; its choices stand in the address, so that a link shows the same."""
    wanted = st.session_state.get("lang") or st.query_params.get("lang", "zh")
    t = Language(wanted)
    bar = st.container(key="frame", horizontal=True, vertical_alignment="center", gap="small")
    with bar:
        periods = [run.period for run in published.runs]
        ui.recall("period", periods)
        period = st.selectbox(
            t("期"), periods, key="period", format_func=t.month, label_visibility="collapsed", width=140
        )
        ui.keep("period", period, published.latest)
        warehouse = ui.open_warehouse(str(published.run_of(period).path))
        towns = places.townships(warehouse)
        options = [ALL, *[name or UNKNOWN for name in towns]]
        ui.recall("township", options)
        township = st.selectbox(
            t("乡镇"), options, key="township", label_visibility="collapsed", width=170,
            format_func=lambda name: t("全县") if name == ALL else t.place(None if name == UNKNOWN else name),
        )  # fmt: skip
        ui.keep("township", township, ALL)
        scope, village = Scope(), ALL
        if township not in (ALL, None):
            town = None if township == UNKNOWN else township
            scope = Scope(townships=(town,))
            names = places.villages(warehouse, town)
            options = [ALL, *[name or UNKNOWN for name in names]]
            ui.recall("village", options)
            village = st.selectbox(
                t("村"), options, key="village", label_visibility="collapsed", width=170,
                format_func=lambda name: t("全部村（社区）") if name == ALL else t.place(None if name == UNKNOWN else name),
            )  # fmt: skip
            if village not in (ALL, None):
                scope = Scope(villages=((town, None if village == UNKNOWN else village),))
        ui.keep("village", village, ALL)
        ui.recall("lang", list(LANGUAGES))
        code = st.selectbox("语言 / Language", list(LANGUAGES), key="lang", format_func=LANGUAGES.__getitem__,
                            label_visibility="collapsed", width=120)  # fmt: skip
        ui.keep("lang", code, "zh")
    chosen = {"period": period, "township": township, "village": village, "lang": code}
    carried = tuple(
        (key, value) for key, value in chosen.items() if value and value != ALL and (key, value) != ("lang", "zh")
    )
    t = Language(code or "zh")
    return t, ui.View(warehouse, scope, t, places.county(warehouse), carried), bar


def _age(view: ui.View) -> None:
    """How old the data are, and what is late."""
    t, county = view.t, view.county
    text = t(
        "数据截至 {day}，{all} 源已到 {here}", day=county.as_of.isoformat(), all=county.feeds, here=county.feeds_here
    )
    late = t.listed(ui.feed(name, t) for name in county.late)
    ui.html(
        f'<span class="bl-note" title="{late}">{text}{(t("；") + t("未到：") + late) if 0 < len(county.late) <= 2 else ""}</span>'
    )


if __name__ == "__main__":
    main()
else:
    app = st.App(
        Path(__file__).resolve(),
        lifespan=frozen,
        on_script_error=failed,
        routes=[Mount(ui.ASSET_ROUTE, StaticFiles(directory=ui.ASSETS), name="assets")],
    )
