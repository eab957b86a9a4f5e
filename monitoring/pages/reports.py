"""报表: the month's bulletin, the quarterly report and the month's lists; what changed between two periods; the two clocks."""

from __future__ import annotations

from datetime import date

import streamlit as st

from monitoring import ui
from monitoring.pages import reports_changes, reports_clocks
from monitoring.reports import making
from monitoring.reports.composing import NoQuarter, months_of
from monitoring.ui import View

PARTS = {"make": "报表和清单", "changes": "本期变化", "clocks": "时效"}
FORMS = {"internal": "内部版", "public": "公开版"}


def page(view: View) -> None:
    t = view.t
    ui.title(t("报表"), t("句子和数字都由系统从已发布结果得出；不明的写明不明"))
    ui.recall("part", list(PARTS))
    part = st.segmented_control(
        t("看什么"), list(PARTS), default="make" if "part" not in st.session_state else None, key="part", required=True, wrap=True,
        label_visibility="collapsed", format_func=lambda key: t(PARTS[key]),
    )  # fmt: skip
    ui.keep("part", part, "make")
    if part == "changes":
        reports_changes.section(view)
    elif part == "clocks":
        reports_clocks.section(view)
    else:
        _make(view)


def _make(view: View) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _report(view, "monthly", view.county.as_of)
        _report(view, "quarterly", view.county.as_of)
    with right:
        _lists(view)


def _report(view: View, kind: str, as_of: date) -> None:
    t = view.t
    ui.heading(t(making.KINDS[kind]), t.month(view.county.period))
    try:
        months_of(kind, as_of)
    except NoQuarter:
        ui.empty(t("季度报告只在6月、9月、12月底出（报送时间见2020年兜底脱贫行动方案四（三））；请在上面选这几个月。"))
        return
    form = st.segmented_control(
        t("版本"), list(FORMS), default="internal", key=f"form-{kind}", required=True, wrap=True, format_func=lambda key: t(FORMS[key])
    )  # fmt: skip
    told = (
        "不足5的人数、户数不列出，也推算不出。" if form == "public" else "含小数字，只供内部；没有任何人的姓名和号码。"
    )
    ui.note(t(told))
    with st.container(horizontal=True, vertical_alignment="center", key=f"make-{kind}"):
        if st.button(t("生成 Word"), key=f"word-{kind}"):
            _offered(
                view,
                view.act(making.offer_report, view.published, kind, view.county.period, form == "public", view.scope),
            )
        ui.html(ui.link(t("打印页（可存为 PDF）"), _print_address(view, kind, form or "internal")))


def _print_address(view: View, kind: str, form: str) -> str:
    picked = view.scope.townships or ()
    where = f"/{picked[0] or '不明'}" if len(picked) == 1 else ""
    return f"/report/{kind}/{view.county.period}/{form}{where}"


def _lists(view: View) -> None:
    t = view.t
    ui.heading(t("救助月报清单"), t.month(view.county.period))
    if not view.earlier_periods:
        ui.empty(t("清单要和上一期比较；这一期以前还没有发布过结果。"))
        return
    ui.note(t("与 {month} 已发布结果比较，一个工作簿：新增、类别转换、停保（汇总和明细）、增发、减发、自然减员、临时救助、近亲属备案、退出对象兜底情况。",
              month=t.month(view.earlier_periods[0])))  # fmt: skip
    if st.button(t("生成清单（隐去姓名和号码）"), key="lists"):
        _offered(view, view.act(making.offer_lists, view.published, view.county.period, view.scope, None))
    if view.person.may("export.full"):
        with st.form("lists-full", border=False):
            purpose = st.text_input(t("用途（导出完整信息时必填，记入操作日志）"), max_chars=200, key="lists-purpose")
            sent = st.form_submit_button(t("生成清单（完整信息）"))
        if sent:
            _offered(view, view.act(making.offer_lists, view.published, view.county.period, view.scope, purpose))


def _offered(view: View, address: str | None) -> None:
    if address:
        ui.html(f"{ui.link(view.t('下载'), address)} {ui.said(view.t('（10 分钟内有效，只能下载一次）'))}")
