"""What pages are made of: the view they are given, and the few shapes in which they show things.

Everything that a person reads goes through `escape` here, and every table becomes a list of cards on a narrow screen.
Pages say what is shown; this module says how. The only other modules that know Streamlit are `app.py` and the pages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast
from urllib.parse import urlencode

import plotly.graph_objects as go
import streamlit as st
from sqlalchemy.exc import OperationalError

from monitoring import charts
from monitoring.access import Scope
from monitoring.cells import (
    Column,
    bar,
    change,
    code,
    column_title,
    column_unit,
    column_value,
    count,
    distance,
    due,
    feed,
    level,
    link,
    origin,
    place,
    rate,
    said,
    trend,
    unknown,
    unknown_count,
)
from monitoring.desk.due import LATE, WAITING, Standing, standing
from monitoring.language import Language, number
from monitoring.pair import Pair
from monitoring.people import Caller, Denied, Person, SessionOver
from monitoring.people.callers import who
from monitoring.periods import until
from monitoring.queries.household import link_id
from monitoring.queries.places import County, county
from monitoring.store import Store
from monitoring.strict_toml import PolicyError
from monitoring.warehouse import Publication, Published, Warehouse
from monitoring.working_days import local_day

__all__ = [  # what pages say `ui.…` of and `monitoring.cells` makes
    "Column", "bar", "change", "code", "column_title", "column_unit", "column_value", "count", "distance", "due", "feed", "level", "link", "origin", "place", "rate", "said", "trend", "unknown", "unknown_count",
]  # fmt: skip
ASSETS = Path(__file__).parents[1] / "static"
ASSET_ROUTE = "/assets"  # served by app.py
PAGE_SIZE = 50
FRESH = timedelta(seconds=1)  # how long what was looked up at a run's beginning is taken as so
CHART = {
    "displayModeBar": False,
    "topojsonURL": f"{ASSET_ROUTE}/topo/",
    "responsive": True,
    "scrollZoom": False,
    "doubleClick": False,
}
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Who is at a page, and how it calls services: each asks the store anew who that is and what they may."""

    t: Language
    store: Store
    caller: Caller
    person: Person  # as the store had it when this run of the page began
    now: Callable[[], datetime]
    since: datetime
    carried: tuple[tuple[str, str], ...] = ()  # the frame's choices, which every link carries on

    def act(self, service: Callable[..., Answer], *details: Any, **more: Any) -> Answer | None:
        """What a service did: `service(store, caller, *details, at=now)`. A refusal is shown in words, and None given; where
        the session is over the page ends."""
        answer, refused = self.tried(service, *details, **more)
        if refused:
            failure(refused)
        return answer

    def read(self, service: Callable[..., Answer], *details: Any, **more: Any) -> Answer:
        """As `act`, for what a page cannot go on without: a refusal ends it."""
        answer, refused = self.tried(service, *details, **more)
        if refused:
            failure(refused)
            st.stop()
        return cast(Answer, answer)

    def tried(self, service: Callable[..., Answer], *details: Any, **more: Any) -> tuple[Answer | None, str]:
        """As `act`, for a page that is drawn anew afterwards: a refusal's words are given, "" where there was none."""
        try:
            return service(self.store, self.caller, *details, at=self.now(), **more), ""
        except SessionOver:
            over(self.t)
        except OperationalError:
            return None, self.t("办理库正忙，这一步没有保存。请稍后再试。")
        except Exception as refusal:
            said = words_of(refusal, self.t)
            if not said:
                raise
            return None, said

    def link(self, page: str, **params: str | int | None) -> str:
        """The address of a page with the frame's choices and its own; never with personal data."""
        own = {key: str(value) for key, value in params.items() if value is not None}
        query = urlencode({**dict(self.carried), **own})
        return f"/{page}{'?' if query else ''}{query}"

    def still_here(self) -> None:
        """Parts of a page that run by themselves (callbacks, fragments) run without its beginning: before data are read,
        who asks is looked up again where that is a while ago. Ends the page where they may not any more."""
        if self.now() - self.since < FRESH:
            return
        try:
            with self.store.read() as con:
                person = who(con, self.caller, self.now())
        except SessionOver:
            over(self.t)
        if (person.role, person.places) != (self.person.role, self.person.places):
            over(self.t)


@dataclass(frozen=True, kw_only=True)
class View(Desk):
    """What a page is given: the published run, what the viewer sees of it, who the viewer is, and the language."""

    warehouse: Warehouse
    scope: Scope
    county: County
    home: Path
    published: Publication | None = None  # every period that can be shown, for what compares two

    def ask(self, question: Callable[..., Answer], *details: Any) -> Answer:
        """A query's answer, remembered for this run, scope and details: a published file never changes. Full numbers are
        never remembered."""
        self.still_here()
        if not self.scope.masked:
            return question(self.warehouse, self.scope, *details)
        answer: Answer = _answer(
            f"{question.__module__}.{question.__name__}", self.warehouse, (self.scope, *details), question, True
        )
        return answer

    def ask_frozen(self, question: Callable[..., Answer], made: Callable[[], Answer], *details: Any) -> Answer:
        """`question`'s answer as `made` gives it, remembered for this run, scope and details: only for what can never change any
        more, such as a past period as it was known when the next one was taken in."""
        self.still_here()
        answer: Answer = _answer(
            f"{question.__module__}.{question.__name__} frozen",
            self.warehouse,
            (self.scope, *details),
            lambda *_: made(),
            True,
        )
        return answer

    def ask_county(self, question: Callable[..., Answer], *details: Any) -> Answer:
        """As `ask`, for questions about the whole run, which take no scope."""
        self.still_here()
        return known(question, self.warehouse, *details)

    def ask_pair(self, before: str, question: Callable[..., Answer], *details: Any) -> Answer:
        """As `ask`, of an earlier period's run beside the one that is shown. Raises LookupError where it is not published."""
        self.still_here()
        earlier = self._file_of(before)
        if earlier is None:
            raise LookupError(before)
        pair = open_pair(str(earlier), str(self.warehouse.path))
        return _answer(f"{question.__module__}.{question.__name__}", pair, (self.scope, *details), question, True)  # type: ignore[no-any-return]

    def _file_of(self, period: str) -> Path | None:
        runs = self.published.runs if self.published else ()
        return next((run.path for run in runs if run.period == period), None)

    def as_of_period(self, period: str | None) -> View | None:
        """The same viewer before another published period; None where it is not published (any more)."""
        path = self._file_of(period or "")
        if path is None:
            return None
        warehouse = open_warehouse(str(path))
        return replace(self, warehouse=warehouse, county=known(county, warehouse))

    @property
    def runs(self) -> tuple[Published, ...]:
        """The published runs up to the period that is shown, the oldest first."""
        return until(self.published, self.county.period) if self.published else ()

    def ask_runs(self, question: Callable[..., Answer], *details: Any) -> Answer:
        """As `ask`, of all published runs up to the one that is shown."""
        self.still_here()
        if not self.scope.masked:
            return question(self.runs, self.scope, *details)
        name = f"{question.__module__}.{question.__name__}"
        return _answer(name, self.runs, (self.scope, *details), question, True)  # type: ignore[no-any-return]

    @property
    def earlier_periods(self) -> list[str]:
        """The published periods before the one that is shown, the latest first."""
        runs = self.published.runs if self.published else ()
        return [run.period for run in runs if run.period < self.county.period]

    @cached_property
    def sources(self) -> Standing | None:
        """How the run's sources stand today, asked once a page; None where the county's setting of deliveries can't be used."""
        try:
            return standing(self.warehouse, self.today, ask=lambda question: known(question, self.warehouse))
        except PolicyError:
            return None

    def sources_said(self) -> str:
        """How many of the sources asked for are here; what is late and what is not due yet is told apart."""
        t, found = self.t, self.sources
        if found is None:
            return t("报送期限的设置不能用，数据到没到齐不明")
        told = [t("应报 {all} 源已到 {here}", all=found.asked, here=found.here)]
        if late := found.of(LATE):
            told.append(t("过期未报 {n}", n=number(len(late))))
        if waiting := found.of(WAITING):
            told.append(t("未到期限 {n}", n=number(len(waiting))))
        return t.listed(told)

    @property
    def today(self) -> date:
        """The day in the county."""
        return local_day(self.now())

    def household_link(self, row: dict[str, Any]) -> str | None:
        found = link_id(row.get("household_id"), row.get("household_key"), self.county.run)
        return None if found is None else self.link("household", household=found)


def words_of(refusal: Exception, t: Language) -> str:
    """What a refusal tells the person; "" for a fault of the program."""
    said = getattr(refusal, "words", None)
    if said is None:
        return t(str(refusal)) if isinstance(refusal, Denied) else ""
    text = getattr(refusal, "text", None)
    if text is not None:  # with slots: put into the person's language before it is filled
        return t(text, **getattr(refusal, "values", {}))
    return t.clauses(t.said(part) for part in ((said,) if isinstance(said, str) else said))


def session_over(t: Language) -> None:
    """Nobody is logged in any more: that and the way back."""
    html(
        f'<div class="bl-failure" role="alert">{escape(t("会话已失效，请重新登录。"))} '
        f'<a href="/login" target="_self">{escape(t("登录"))}</a></div>'
    )


def over(t: Language) -> NoReturn:
    """As `session_over`, and nothing else on the page."""
    session_over(t)
    st.stop()


# Published: a run that is not open, which `ask_runs` names by its file.
HASHED: dict[str | type, Callable[[Any], Any]] = dict.fromkeys(
    (Warehouse, Pair, Published), lambda file: str(file.path)
)


@st.cache_data(max_entries=500, show_spinner=False, hash_funcs=HASHED)
def _answer(
    name: str,
    warehouse: Warehouse | tuple[Published, ...],
    details: tuple[Any, ...],
    _question: Callable[..., Any],
    scoped: bool,
) -> Any:
    return _question(warehouse, *details)


def known(question: Callable[..., Answer], warehouse: Warehouse, *details: Any) -> Answer:
    """What a published run says of places and sources, to whomever: asked once, since it never changes."""
    answer: Answer = _answer(f"{question.__module__}.{question.__name__}", warehouse, details, question, False)
    return answer


@st.cache_resource(max_entries=4, show_spinner=False, on_release=lambda warehouse: warehouse.close())
def open_warehouse(path: str) -> Warehouse:
    """One connection a published file; a new run has a new name, so nothing here goes stale."""
    return Warehouse(Path(path))


@st.cache_resource(max_entries=4, show_spinner=False, on_release=lambda pair: pair.close())
def open_pair(earlier: str, later: str) -> Pair:
    return Pair(Path(earlier), Path(later))


def recall(key: str, options: Sequence[Any], many: bool = False) -> None:
    """Before a picker is drawn for the first time: its choice from the address, if that is one of the options."""
    if key in st.session_state:
        if not many and st.session_state[key] not in options:
            del st.session_state[key]
        return
    asked = [value for value in st.query_params.get_all(key) if value in options]
    if asked:
        st.session_state[key] = asked if many else asked[0]


def keep(key: str, value: Any, default: Any = None) -> None:
    """After a picker was drawn: its choice into the address (codes and places, never a person)."""
    wanted = list(value) if isinstance(value, list | tuple) else [] if value in (None, "", default) else [value]
    if wanted and st.query_params.get_all(key) != wanted:
        st.query_params[key] = wanted
    elif not wanted and key in st.query_params:
        del st.query_params[key]


def mark(*values: object) -> str:
    """Ends the key of an element that begins anew when one of the values changes. The same in every process, which Python's own
    hashes are not, and never eighteen figures: what is sent to a browser is searched for identity numbers."""
    return hashlib.blake2b(repr(values).encode(), digest_size=6).hexdigest()


def html(body: str) -> None:
    st.html(f'<div class="bl">{body}</div>')


def style() -> None:
    st.html(ASSETS / "style.css")


def title(text: str, note: str = "") -> None:
    html(f'<h1 class="bl-title">{escape(text)}{f"<small>{escape(note)}</small>" if note else ""}</h1>')


def heading(text: str, note: str = "") -> None:
    html(f'<h2 class="bl-h">{escape(text)}{f"<small>{escape(note)}</small>" if note else ""}</h2>')


def note(text: str) -> None:
    html(f'<div class="bl-note">{escape(text)}</div>')


def empty(text: str) -> None:
    """Why there is nothing, and what next."""
    html(f'<div class="bl-empty">{escape(text)}</div>')


def failure(text: str) -> None:
    """Something broke: what happened, that nothing was lost, what to do."""
    html(f'<div class="bl-failure" role="alert">{escape(text)}</div>')


def banner(text: str) -> None:
    html(f'<div class="bl-sample" role="note">{escape(text)}</div>')


# --- tables, tiles, charts


def table(rows: Iterable[dict[str, Any]], columns: Sequence[Column], caption: str = "") -> None:
    """A table on a wide screen, cards on a narrow one."""
    head = "".join(f'<th class="{column.css}" scope="col">{escape(column.title)}</th>' for column in columns)
    body = []
    for row in rows:
        cells = (f'<td class="{c.css}" data-label="{escape(c.title)}">{c.cell(row)}</td>' for c in columns)
        body.append(f"<tr>{''.join(cells)}</tr>")
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    html(
        f'<div class="bl-wrap"><table class="bl-t">{above}<thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


@dataclass(frozen=True)
class Tile:
    """One figure that matters: label, figure with unit, what stands below it, and where a click leads."""

    label: str
    figure: str
    unit: str
    below: str = ""  # safe HTML
    href: str | None = None
    exact: str = ""


def tiles(shown: Sequence[Tile]) -> None:
    cells = []
    for tile in shown:
        inner = (
            f'<div class="k">{escape(tile.label)}</div><div class="v" title="{escape(tile.exact)}">{escape(tile.figure)}'
            f'<small>{escape(tile.unit)}</small></div><div class="d">{tile.below}</div>'
        )
        tag = f'a href="{escape(tile.href)}" target="_self"' if tile.href else "div"
        cells.append(f'<{tag} class="bl-tile">{inner}</{tag.split()[0]}>')
    html(f'<div class="bl-tiles">{"".join(cells)}</div>')


def chart(figure: go.Figure, key: str, told: str, clicked: Callable[[str], None] | None = None) -> None:
    """A figure without toolbar; `told` says in words what it shows, for those who do not see it. `clicked` is told the place
    that somebody clicks on."""
    if st.context.theme.type == "dark":
        charts.on_dark(figure)
    if clicked is None:
        st.plotly_chart(figure, key=key, config=CHART, theme=None, alt=told)
        return

    def selected() -> None:
        points = st.session_state[key].selection.points
        if points and points[0].get("location"):
            clicked(str(points[0]["location"]))

    st.plotly_chart(figure, key=key, config=CHART, theme=None, alt=told, on_select=selected, selection_mode="points")


def pager(total: int, key: str, t: Language, size: int = PAGE_SIZE) -> None:
    """Page numbers below a list of more than one page; the page chosen is in `page_of`."""
    pages = -(-total // size)
    if pages > 1:
        st.pagination(pages, key=key)


def page_of(key: str, total_known: int | None = None) -> int:
    """The page that `pager` chose last; 1 at first."""
    chosen = st.session_state.get(key, 1)
    return int(chosen) if isinstance(chosen, int) else 1


def first_of(page: int, size: int = PAGE_SIZE) -> int:
    """The place of a page's first row, for a list that is held already."""
    return size * (max(page, 1) - 1)
