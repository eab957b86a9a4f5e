"""A household's payments: what its own ledger says of temporary aid and what the payments say of it is one payment, and nothing that only
one of them knows is left out."""

from __future__ import annotations

import pytest

from monitoring.access import Scope
from monitoring.queries import household
from monitoring.warehouse import Warehouse
from tests.runs import Tables, published_file, run_quietly, small_county, write_feeds

PERIOD = "2026-11"


def aid(who: dict[str, str], paid: str) -> dict[str, str]:
    return {**who, "救助类型": "急难型", "受理日期": "2026-08-21", "发放日期": paid, "救助金额": "600"}


def payment(who: dict[str, str], month: str, status: str = "成功") -> dict[str, str]:
    return {"项目": "临时救助", "发放年月": month, **who, "金额": "600", "发放状态": status}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The first head's grant of August, paid in September, stands in the payments under either month; July is in the payments
    alone, October failed. The second head stands in the payments alone; the third's grant is not paid by the ledger."""
    folder = tmp_path_factory.mktemp("paid")
    feeds: Tables = small_county(2)
    first, second, third = (
        {name: row[name] for name in ("姓名", "证件号码")} for row in feeds["registry"] if row["户编号"] in ("H101", "H102", "H201") and row["与户主关系"] == "户主"
    )  # fmt: skip
    feeds["temporary_aid"] = [aid(first, "2026-09-20"), aid(third, "")]
    feeds["payments"] = [
        payment(first, "2026-08"), payment(first, "2026-09"), payment(first, "2026-07"), payment(first, "2026-10", "失败"),
        payment(second, "2026-09"), payment(third, "2026-09"),
    ]  # fmt: skip
    run_quietly(folder / "home", PERIOD, write_feeds(feeds, folder / "inbox"))
    return Warehouse(published_file(folder / "home", PERIOD))


def paid(run: Warehouse, number: str) -> list[tuple[str, str]]:
    key = household.find(run, Scope(), number)
    assert key is not None
    rows = household.payments(run, Scope(), key).filter(item="临时救助")
    return [(f"{row['paid_month']:%Y-%m}", row["status"]) for row in rows.to_dicts()]


def test_what_stands_in_both_is_shown_once_and_what_the_payments_alone_have_is_shown(run: Warehouse) -> None:
    assert paid(run, "H101") == [("2026-10", "失败"), ("2026-09", "成功"), ("2026-07", "成功")]


def test_another_s_grant_or_one_that_the_ledger_does_not_say_was_paid_hides_nobody_s_payment(run: Warehouse) -> None:
    assert paid(run, "H102") == paid(run, "H201") == [("2026-09", "成功")]
    assert household.payment_stretches(run, Scope(), household.find(run, Scope(), "H102") or 0).height == 1
