"""A part of a file becomes rows, quarantine and remarks: every row once, every reason in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.feeds import Feed, load_feeds
from pipelines.conform import IDENTITY_COLUMNS, combine_families, conform_part, dedupe, pairing, row_schema
from pipelines.conform.rows import row_name

FEEDS = load_feeds()
ANNA, BERT, CARL = "11010519491231002X", "110105194912310038", "440524188001010014"
HEAD, WIFE, SON = "420115197003070012", "420115197205060026", "420115199901010030"


def checked(seventeen: str) -> str:
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return seventeen + "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, weights, strict=True)) % 11]


HEAD, WIFE, SON = (checked(number[:17]) for number in (HEAD, WIFE, SON))


def part(rows: Sequence[Mapping[str, str | None]], first_row: int = 2) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    schema = dict.fromkeys([*names, "extra"], pl.String)
    frame = pl.DataFrame({"extra": [None] * len(rows), **columns}, schema_overrides=schema)
    return frame.with_columns(row=pl.int_range(first_row, first_row + len(rows), dtype=pl.Int32))


def death(**values: str | None) -> dict[str, str | None]:
    return {"name": "张三", "id_number": ANNA, "death_date": "2026-03-05", "registered_date": "2026-03-06", **values}


def only(frame: pl.DataFrame) -> dict[str, object]:
    assert frame.height == 1
    return frame.row(0, named=True)


# --- rows -----------------------------------------------------------------------------------------------------------


def test_a_good_row_is_typed_and_every_identity_column_is_there():
    got = conform_part(FEEDS["deaths"], part([death(extra='{"备注":"x"}')]))
    assert dict(got.rows.schema) == row_schema(FEEDS["deaths"])
    assert list(got.rows.columns) == ["row", *IDENTITY_COLUMNS, "death_date", "registered_date", "extra"]
    row = only(got.rows)
    assert (row["row"], row["number"], row["number_state"], row["number_raw"]) == (2, ANNA, "valid", None)
    assert (row["name"], row["death_date"], row["extra"]) == ("张三", date(2026, 3, 5), '{"备注":"x"}')
    assert row["head_number"] is None and row["township"] is None and row["sex"] is None
    assert got.quarantine.is_empty() and got.issues.is_empty()


@pytest.mark.parametrize("feed", FEEDS.values(), ids=lambda f: f.id)
def test_every_feed_conforms_whether_its_optional_columns_are_there_or_not(feed: Feed):
    good = {
        "name": "张三",
        "id": ANNA,
        "date": "2026-03-05",
        "month": "2026-03",
        "year": "2026",
        "amount": "12.5",
        "count": "3",
        "yesno": "是",
        "phone": "13800138000",
        "text": "甲",
    }
    full = {n: good.get(c.type) or next(iter(c.codes)) for n, c in feed.std_columns().items()}
    bare = {n: v for n, v in full.items() if n in feed.required}
    for values in (full, bare):
        got = conform_part(feed, part([values]))
        assert got.rows.height == 1 and got.quarantine.is_empty()
        schema = dict(got.rows.schema)
        schema.pop("raw", None)
        assert schema == row_schema(feed)
        if values is full:
            own = [row_name(n) for n in full if n in got.rows.columns or row_name(n) in got.rows.columns]
            assert len(own) == len(full) and [n for n in own if got.rows[n][0] is None] == []


def test_an_empty_part_conforms():
    got = conform_part(FEEDS["deaths"], part([death()]).clear())
    assert got.rows.is_empty() and got.quarantine.is_empty() and dict(got.rows.schema) == row_schema(FEEDS["deaths"])


def test_institutions_have_a_place_and_no_person():
    got = conform_part(
        FEEDS["institutions"],
        part([{"institution": "敬老院", "residents": "12人", "carers": "3.0", "township": "河口 镇"}]),
    )
    row = only(got.rows)
    assert "person_id" not in row and "number" not in row
    assert (row["township"], row["residents"], row["carers"], row["beds"]) == ("河口镇", 12, 3, None)


def test_a_damaged_or_wrong_number_is_loaded_without_one_and_keeps_what_stood_there():
    numbers = ["5.10225E+17", "110105194912310021", "110105491231002", None, "9999999"]
    got = conform_part(FEEDS["deaths"], part([death(id_number=n) for n in numbers]))
    assert got.quarantine.is_empty()
    assert got.rows.select("number", "number_state", "number_raw").rows() == [
        (None, "damaged", "5.10225E+17"),
        (None, "invalid", "110105194912310021"),
        (ANNA, "converted", "110105491231002"),
        (None, "missing", None),
        (None, "missing", "9999999"),
    ]
    assert got.rows["person_id"].is_null().to_list() == [True, True, False, True, True]
    assert got.issues.select("row", "heading", "value").rows() == [
        (2, "证件号码", "5.10225E+17"),
        (3, "证件号码", "110105194912310021"),
    ]


def test_the_unit_in_a_heading_reaches_the_amount():
    frame = part([{"name": "张三", "status": "存续", "capital": "50"}])
    assert only(conform_part(FEEDS["business"], frame, "", {"capital": 10000}).rows)["capital"] == Decimal(500000)


def test_officials_have_a_number_of_their_own():
    frame = part([{"official_name": "李四", "official_id_number": BERT, "name": "张三", "id_number": ANNA}])
    row = only(conform_part(FEEDS["officials"], frame).rows)
    assert (row["official_number"], row["number"]) == (BERT, ANNA)


# --- quarantine -----------------------------------------------------------------------------------------------------


def test_every_reason_is_listed_in_words_and_the_row_is_kept_as_written():
    rows = [
        death(name=" ", death_date="abc", registered_date="昨天", extra='{"备注":"a\\"b"}'),
        death(),
        death(death_date="无", id_number=None),
    ]
    got = conform_part(FEEDS["deaths"], part(rows))
    assert got.rows["row"].to_list() == [3]
    first, second = got.quarantine.rows(named=True)
    assert first["reasons"] == (
        "缺少必填项“姓名”；“死亡日期”填写的“abc”不是日期，应如 2026-03-05"
        "；“登记日期”填写的“昨天”不是日期，应如 2026-03-05"
    )
    assert json.loads(first["raw"]) == {
        "姓名": " ",
        "证件号码": ANNA,
        "死亡日期": "abc",
        "登记日期": "昨天",
        "备注": 'a"b',
    }
    assert (second["row"], second["reasons"]) == (4, "缺少必填项“死亡日期”")
    assert "证件号码" not in json.loads(second["raw"])
    assert got.issues.is_empty()


def test_an_optional_value_that_is_not_understood_becomes_null_with_a_remark():
    got = conform_part(FEEDS["deaths"], part([death(registered_date="26-3-5")]))
    assert only(got.rows)["registered_date"] is None
    assert only(got.issues) == {
        "row": 2,
        "heading": "登记日期",
        "value": "26-3-5",
        "problem": "不是日期，应如 2026-03-05",
    }


def test_of_a_required_number_only_blank_counts():
    rows = [{"id_number": n, "checked_date": "2026-03-05"} for n in (HEAD, "5.10225E+17", "123", None, "999999999")]
    got = conform_part(FEEDS["income"], part(rows))
    assert got.rows["row"].to_list() == [2, 3, 4]
    assert got.quarantine["reasons"].unique().to_list() == ["缺少必填项“户主证件号码”"]


def test_a_household_that_is_not_listed_is_said_to_be_so():
    rows = [{"household_number": "1", "household_kind": k, "name": "张三"} for k in ("脱贫不稳定户", "普通农户")]
    got = conform_part(FEEDS["monitored"], part(rows))
    assert only(got.rows)["household_kind"] == "脱贫不稳定户"
    assert only(got.quarantine)["reasons"] == (
        "“户类型”填写的“普通农户”，该户不在监测或脱贫名单内"
        "（名单内应为：未脱贫户、脱贫户、脱贫不稳定户、边缘易致贫户、突发严重困难户）"
    )


def test_what_the_sheet_says_against_the_number_is_worth_a_remark():
    row = {
        "household_number": "1",
        "relation": "户主",
        "township": "河口镇",
        "village": "东山村",
        "name": "张三",
        "id_number": ANNA,
    }
    got = conform_part(
        FEEDS["registry"],
        part([row | {"birth_date": "1949-12-31", "sex": "女"}, row | {"birth_date": "1950-01-01", "sex": "男"}]),
    )
    assert got.issues.select("row", "heading").rows() == [(3, "出生日期"), (3, "性别")]
    assert got.rows["birth_date"].to_list() == [date(1949, 12, 31), date(1950, 1, 1)]


cell = st.sampled_from([None, "", "-", "张三", ANNA, "2026-03-05", "abc", "5.1E+17", "\u3000", '"{', "1.2万"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({"name": cell, "id_number": cell, "death_date": cell, "registered_date": cell}),
        min_size=1,
        max_size=15,
    )
)
def test_every_row_is_loaded_or_quarantined(rows):
    got = conform_part(FEEDS["deaths"], part(rows))
    seen = sorted(got.rows["row"].to_list() + got.quarantine["row"].to_list())
    assert seen == list(range(2, len(rows) + 2))
    assert got.rows.filter(pl.col("name").is_null() | pl.col("death_date").is_null()).is_empty()
    for reasons, raw in got.quarantine.select("reasons", "raw").rows():
        assert reasons and json.loads(raw) is not None


# --- rows that hold two records --------------------------------------------------------------------------------------

SUBSIDY = FEEDS["disability_subsidy"]


def subsidies(**values: str | None) -> dict[str, str | None]:
    both = {"living_amount": "100", "nursing_amount": "80", "total_amount": "180"}
    return {"name": "张三", "id_number": ANNA, "paid_month": "202603", **both, **values}


def payments(rows: Sequence[Mapping[str, str | None]]) -> list[tuple[object, ...]]:
    got = conform_part(SUBSIDY, part(rows), "两项并列")
    assert got.quarantine.is_empty() and got.issues.is_empty()
    return got.rows.select("row", "subsidy_kind", "amount").rows()


def test_a_row_with_both_subsidies_is_two_payments_of_one_row_of_the_file():
    got = conform_part(SUBSIDY, part([subsidies(extra='{"卡号":"6"}'), subsidies(name="李四")]), "两项并列")
    assert dict(got.rows.schema) == row_schema(SUBSIDY)
    assert got.rows.select("row", "name", "number", "subsidy_kind", "paid_month", "amount", "status").rows() == [
        (2, "张三", ANNA, "生活补贴", date(2026, 3, 1), Decimal(100), None),
        (2, "张三", ANNA, "护理补贴", date(2026, 3, 1), Decimal(80), None),
        (3, "李四", ANNA, "生活补贴", date(2026, 3, 1), Decimal(100), None),
        (3, "李四", ANNA, "护理补贴", date(2026, 3, 1), Decimal(80), None),
    ]
    assert got.rows["extra"].to_list() == ['{"卡号":"6"}'] * 2 + [None] * 2
    assert got.quarantine.is_empty() and got.issues.is_empty()


@pytest.mark.parametrize("nothing", [None, "", " ", "-", "/", "无", "0", "0.00"])
def test_a_subsidy_that_is_blank_or_0_is_no_payment(nothing: str | None):
    assert payments([subsidies(living_amount=nothing, total_amount="80")]) == [(2, "护理补贴", Decimal(80))]
    assert payments([subsidies(nursing_amount=nothing, total_amount=None)]) == [(2, "生活补贴", Decimal(100))]


def test_a_row_without_any_amount_is_quarantined_once_with_all_that_stood_in_it():
    rows = [subsidies(living_amount=None, nursing_amount="0"), subsidies(), subsidies(name="", paid_month="三月")]
    got = conform_part(SUBSIDY, part(rows), "两项并列")
    assert got.rows["row"].to_list() == [3, 3]
    assert got.quarantine["row"].to_list() == [2, 4]
    assert got.quarantine["reasons"].to_list() == [
        "“生活补贴标准”“护理补贴标准”都没有金额，看不出发的是哪一项；“合计金额”填写的“180”不等于各项之和；按各项的金额载入",
        "缺少必填项“姓名”；“发放年月”填写的“三月”不是年月，应如 2026-03",
    ]
    assert json.loads(got.quarantine["raw"][1]) == {
        "姓名": "", "证件号码": ANNA, "发放年月": "三月", "生活补贴标准": "100", "护理补贴标准": "80", "合计金额": "180",
    }  # fmt: skip
    assert got.issues.is_empty()


def test_a_word_in_place_of_an_amount_is_no_payment_and_worth_a_remark():
    got = conform_part(SUBSIDY, part([subsidies(nursing_amount="停发", total_amount="100")]), "两项并列")
    assert got.rows.select("row", "subsidy_kind").rows() == [(2, "生活补贴")]
    assert only(got.issues) == {
        "row": 2, "heading": "护理补贴标准", "value": "停发", "problem": "不是金额，应如 1234.56",
    }  # fmt: skip


def test_a_total_that_is_not_the_sum_is_worth_a_remark():
    rows = [subsidies(total_amount="540"), subsidies(total_amount="一百八"), subsidies(total_amount="180.00元")]
    got = conform_part(SUBSIDY, part(rows), "两项并列")
    assert got.rows["amount"].to_list() == [Decimal(100), Decimal(80)] * 3
    assert got.issues.select("row", "value", "problem").rows() == [
        (2, "540", "不等于各项之和；按各项的金额载入"),
        (3, "一百八", "不是金额，应如 1234.56"),
    ]


def test_a_list_with_one_of_the_two_columns_is_of_that_subsidy():
    row = {k: v for k, v in subsidies().items() if k not in ("living_amount", "total_amount")}
    assert payments([row]) == [(2, "护理补贴", Decimal(80))]
    got = conform_part(SUBSIDY, part([row | {"nursing_amount": None}]), "两项并列")
    assert only(got.quarantine)["reasons"] == "“护理补贴标准”没有金额，看不出发的是哪一项"


def test_amounts_in_ten_thousands_are_scaled_each():
    rows = part([subsidies(living_amount="0.01", total_amount="0.018")])
    got = conform_part(SUBSIDY, rows, "两项并列", {"living_amount": 10_000, "total_amount": 10_000})
    assert got.rows["amount"].to_list() == [Decimal(100), Decimal(80)]
    assert got.issues.is_empty()


def test_only_parts_that_split_take_the_way_of_several_rows_for_one():
    assert (pairing(SUBSIDY, ""), pairing(SUBSIDY, "两项并列")) == ("", "family")
    rows = conform_part(SUBSIDY, part([subsidies()]), "两项并列").rows.with_columns(part=pl.lit(3, pl.Int32))
    got = combine_families(SUBSIDY, None, rows)
    assert got.rows.rows() == rows.select("part", *row_schema(SUBSIDY)).rows()
    assert got.quarantine.is_empty() and got.issues.is_empty() and got.supplements.is_empty()


def test_a_row_is_a_duplicate_only_when_none_of_its_records_is_new():
    rows = [subsidies(), subsidies(), subsidies(nursing_amount="90"), subsidies(living_amount=None)]
    got = dedupe([conform_part(SUBSIDY, part(rows), "两项并列").rows])
    assert got.rows.select("row", "subsidy_kind", "amount").rows() == [
        (2, "生活补贴", Decimal(100)), (2, "护理补贴", Decimal(80)), (4, "护理补贴", Decimal(90)),
    ]  # fmt: skip
    assert got.duplicate.rows() == [(0, 3, 0, 2), (0, 5, 0, 2)]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": cell,
                "paid_month": st.sampled_from(["202603", "", "x"]),
                "living_amount": cell,
                "nursing_amount": cell,
            }
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_row_of_two_records_is_loaded_or_quarantined(rows):
    got = conform_part(SUBSIDY, part(rows), "两项并列")
    assert sorted([*got.rows["row"].unique(), *got.quarantine["row"]]) == list(range(2, len(rows) + 2))
    assert got.quarantine["row"].is_unique().all()
    assert got.rows.filter(pl.col("amount").is_null() | (pl.col("amount") == 0)).is_empty()


# --- duplicates -----------------------------------------------------------------------------------------------------


def test_the_same_row_twice_is_loaded_once_with_the_origin_of_both():
    first = conform_part(
        FEEDS["deaths"], part([death(), death(name="李四"), death(name=" 张 三", id_number=ANNA.lower())])
    ).rows
    second = conform_part(
        FEEDS["deaths"], part([death(death_date="20260305", extra='{"a":"b"}'), death(death_date="2026-03-04")])
    ).rows
    got = dedupe([first, second])
    assert got.rows.select("part", "row").rows() == [(0, 2), (0, 3), (1, 3)]
    assert got.duplicate.rows() == [(0, 4, 0, 2), (1, 2, 0, 2)]


def test_fifteen_digits_and_the_eighteen_they_stand_for_are_one_value():
    old, new, damaged = "510225810101123", "510225198101011230", "5.1E+17"
    rows = conform_part(FEEDS["deaths"], part([death(id_number=number) for number in (new, old, damaged, "")])).rows
    got = dedupe([rows])
    assert got.rows["row"].to_list() == [2, 4, 5] and got.duplicate.rows() == [(0, 3, 0, 2)]
    assert dedupe([rows[1:2]]).rows["number_raw"].to_list() == [old]  # what stood there is kept


def test_parts_keep_the_numbers_that_they_have():
    rows = conform_part(FEEDS["deaths"], part([death()])).rows
    got = dedupe([rows.with_columns(part=pl.lit(7)), rows.with_columns(part=pl.lit(3))])
    assert got.rows["part"].to_list() == [3]
    assert got.duplicate.rows() == [(7, 2, 3, 2)]


def test_two_blank_values_are_equal_and_nothing_is_lost():
    rows = conform_part(FEEDS["deaths"], part([death(id_number=None, registered_date=None)] * 3)).rows
    got = dedupe([rows, rows.clear()])
    assert got.rows.height == 1 and got.duplicate.height == 2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.sampled_from(["2026-03-05", "2026-03-06"])), max_size=12))
def test_first_of_each_stays(values):
    frame = part([death(name=n, death_date=d) for n, d in values]) if values else part([death()]).clear()
    got = dedupe([conform_part(FEEDS["deaths"], frame).rows])
    first = {value: i + 2 for i, value in reversed(list(enumerate(values)))}
    assert got.rows["row"].to_list() == sorted(first.values())
    assert got.duplicate.select("row", "first_row").rows() == [
        (i + 2, first[v]) for i, v in enumerate(values) if first[v] != i + 2
    ]


# --- families -------------------------------------------------------------------------------------------------------

DIBAO = FEEDS["dibao"]


def family(**values: str | None) -> dict[str, str | None]:
    return {
        "certificate": "D1",
        "head_name": "王一",
        "head_id_number": HEAD,
        "township": "河口镇",
        "village": "东山村",
        "household_amount": "650",
        "start_date": "2025-01",
        "cause": "因病",
        **values,
    }


def person(name: str, number: str | None, **values: str | None) -> dict[str, str | None]:
    return {"name": name, "id_number": number, "head_id_number": HEAD, "certificate": "D1", **values}


def combine(persons: Sequence[Mapping[str, str | None]], families: Sequence[Mapping[str, str | None]]):
    frames: list[pl.DataFrame | None] = []
    for number, (rows, layout) in enumerate(((persons, "人员查询"), (families, "家庭查询"))):
        if not rows:
            frames.append(None)
            continue
        got = conform_part(DIBAO, part(rows), layout)
        assert got.rows.height == len(rows)
        frames.append(got.rows.with_columns(part=pl.lit(number, pl.Int32)))
    return combine_families(DIBAO, *frames)


def test_only_feeds_that_come_by_household_too_are_paired():
    assert pairing(FEEDS["deaths"], "") == "" and pairing(FEEDS["clues"], "12345工单") == ""
    assert [pairing(DIBAO, layout) for layout in ("", "人员查询", "家庭查询", "签领名册")] == [
        "person",
        "person",
        "family",
        "family",
    ]


def test_persons_take_what_they_lack_from_their_family():
    got = combine([person("王一", HEAD), person("赵二", WIFE, start_date="2025-03", township="上坪乡")], [family()])
    assert list(got.rows.columns) == ["part", *row_schema(DIBAO)]
    assert got.rows.select("name", "head_name", "township", "start_date", "household_amount", "cause").rows() == [
        ("王一", "王一", "河口镇", date(2025, 1, 1), Decimal(650), "因病"),
        ("赵二", "王一", "上坪乡", date(2025, 3, 1), Decimal(650), "因病"),
    ]
    assert got.supplements.rows() == [(1, 2, 2)]
    assert got.quarantine.is_empty()


def test_a_family_nobody_belongs_to_becomes_its_head_and_its_listed_members():
    lists = {"members_names": "王一；赵 二；王三;", "members_ids": f"{HEAD};{WIFE.lower()};{SON}"}
    got = combine([], [family(**lists)])
    assert got.rows.select("part", "row", "name", "number", "relation", "head_number").rows() == [
        (1, 2, "王一", HEAD, "户主", HEAD),
        (1, 2, "赵二", WIFE, None, HEAD),
        (1, 2, "王三", SON, None, HEAD),
    ]
    assert got.rows["person_id"].n_unique() == 3
    assert got.rows["township"].to_list() == ["河口镇"] * 3
    assert got.supplements.is_empty()


def test_member_lists_are_found_among_the_unknown_columns_too():
    extra = json.dumps({"家庭成员姓名": "王一;赵二", "家庭成员身份证号": f"{HEAD};无"}, ensure_ascii=False)
    got = combine([], [family(extra=extra)])
    assert got.rows.select("name", "number", "number_state").rows() == [
        ("王一", HEAD, "valid"),
        ("赵二", None, "missing"),
    ]


def test_lists_of_different_length_are_not_put_together_by_chance():
    got = combine([], [family(members_names="王一、赵二", members_ids=WIFE)])
    assert got.rows.select("name", "number").rows() == [("王一", HEAD), ("赵二", None)]
    assert only(got.issues)["value"] == WIFE


def test_a_family_without_lists_is_its_head():
    assert only(combine([], [family()]).rows)["name"] == "王一"


def test_the_certificate_leads_to_the_family_where_the_heads_number_is_damaged():
    got = combine([person("赵二", WIFE)], [family(head_id_number="4.20115E+17")])
    assert only(got.rows)["start_date"] == date(2025, 1, 1)
    assert got.supplements.height == 1


def test_a_certificate_never_joins_two_heads():
    got = combine([person("王一", HEAD, start_date="2025-01")], [family(head_name="李四", head_id_number=BERT)])
    assert got.rows.select("name", "head_name").rows() == [("王一", None), ("李四", "李四")]
    assert got.supplements.is_empty()


def test_two_families_with_one_certificate_are_two_families():
    got = combine([person("王一", HEAD)], [family(), family(), family(head_name="李四", head_id_number=BERT)])
    assert got.supplements.rows() == [(1, 2, 1), (1, 3, 1)]
    assert got.rows["name"].to_list() == ["王一", "李四"]


def test_what_neither_file_holds_is_missing():
    got = combine([person("王一", HEAD), person("", SON, start_date="2025-01")], [family(start_date=None)])
    assert got.rows.is_empty()
    assert got.quarantine.select("part", "row", "reasons").rows() == [
        (0, 2, "缺少必填项“享受起始日期”"),
        (0, 3, "缺少必填项“姓名”"),
    ]
    assert json.loads(got.quarantine["raw"][0])["姓名"] == "王一"
    alone = combine([], [family(start_date=None, members_names="王一；赵二", members_ids=f"{HEAD}；{WIFE}")])
    assert alone.rows.is_empty() and only(alone.quarantine)["reasons"] == "缺少必填项“享受起始日期”"


def test_every_row_of_a_pair_is_accounted_for_once():
    persons = [person("王一", HEAD), person("", None), person("孙五", SON, head_id_number=None, certificate="D9")]
    families = [
        family(),
        family(certificate="D2", head_id_number=BERT, head_name="李四"),
        family(head_id_number=None, certificate="D1"),
    ]
    got = combine(persons, families)
    seen = [*got.rows.select("part", "row").unique().rows(), *got.quarantine.select("part", "row").rows()]
    seen += got.supplements.select("part", "row").rows()
    assert sorted(seen) == [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)]


def test_a_required_value_that_is_not_understood_is_no_matter_of_the_other_file():
    got = conform_part(DIBAO, part([person("王一", HEAD, start_date="不知道")]), "人员查询")
    assert only(got.quarantine)["reasons"] == "“享受起始日期”填写的“不知道”不是日期，应如 2026-03-05"
