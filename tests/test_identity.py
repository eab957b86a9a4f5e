"""Values as departments write them: every spelling at its edge, and properties that hold for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.feeds import Column, Feed, load_feeds
from pipelines import identity
from pipelines.conform.columns import _PLAIN, _parse, read_columns, type_of

BLANKS = [
    "",
    " ",
    "\t",
    "\u3000",
    "\u00a0",
    "-",
    "--",
    "—",
    "——",
    "/",
    "无",
    "null",
    "NULL",
    "None",
    "nan",
    "\\N",
    "#N/A",
    "#REF!",
    "暂无",
    "不详",
]
WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
GOOD = "11010519491231002X"  # the example of GB 11643-1999
FEEDS = load_feeds()


def read(
    values: Sequence[str | None], type_: str = "text", *, scale: int = 1, **column: object
) -> list[tuple[object, str]]:
    """What becomes of cells: (value, "ok" | "blank" | "unclear")."""
    spec = Column(**{"name": "x", "heading": "某列", "type": type_, **column})  # type: ignore[arg-type]
    cells = read_columns(pl.DataFrame({spec.name: values}, schema={spec.name: pl.String}), [spec], {spec.name: scale})
    cell = cells[spec.name]
    states = [
        "blank" if blank else "unclear" if unclear else "ok"
        for blank, unclear in zip(cell.blank, cell.unclear, strict=True)
    ]
    return list(zip(cell.value.to_list(), states, strict=True))


def one(value: str | None, type_: str = "text", **column: object) -> object:
    return read([value], type_, **column)[0][0]  # type: ignore[arg-type]


def understood(value: str, type_: str, **column: object) -> bool:
    return read([value], type_, **column)[0][1] == "ok"  # type: ignore[arg-type]


def numbers(values: list[str]) -> list[tuple[str | None, str]]:
    frame = pl.LazyFrame({"raw": values}).select(text=identity.id_text(pl.col("raw")))
    return identity.parse_numbers(frame).select("number", "state").collect().rows()


def check_character(seventeen: str) -> str:
    return "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, WEIGHTS, strict=True)) % 11]


ODD = [
    "长期",
    "2026年1月5日",
    "26-3-5",
    "1.2万元",
    "12",
    "１２人",
    "D 1",
    "青石镇(街道)",
    "是",
    "无",
    None,
    " 张 三 ",
    GOOD.lower(),
    "1380000",
    "A类",
]


@pytest.mark.parametrize("feed", FEEDS.values(), ids=list(FEEDS))
def test_columns_read_together_are_what_each_is_alone(feed: Feed) -> None:
    """Those that are cleaned alike go through one query; one that is not alike must not slip in."""
    columns = list(feed.std_columns().values())
    scale = {c.name: 10_000 for n, c in enumerate(columns) if c.type == "amount" and n % 2}
    frame = pl.DataFrame({c.name: ODD for c in columns}, schema=dict.fromkeys((c.name for c in columns), pl.String))
    together = read_columns(frame, columns, scale)
    for column in columns:
        alone = read_columns(frame.select(column.name), [column], scale)[column.name]
        for part in ("value", "blank", "unclear", "text", "state"):
            mine, its = getattr(together[column.name], part), getattr(alone, part)
            assert (mine is None and its is None) or mine.equals(its), (column.name, part)


people = st.builds(
    lambda region, born, sequence: (body := f"{region}{born:%Y%m%d}{sequence:03d}") + check_character(body),
    st.integers(110000, 659999),
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.integers(0, 999),
)


# --- identity numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "number", "state"),
    [
        (GOOD, GOOD, "valid"),
        (GOOD.lower(), GOOD, "valid"),
        ("'" + GOOD, GOOD, "valid"),
        ("１１０１０５１９４９１２３１００２ｘ", GOOD, "valid"),
        (" 110105 19491231\t002X\u200b", GOOD, "valid"),
        ("\ufeff" + GOOD + "\u00a0", GOOD, "valid"),
        (GOOD[:17] + "×", GOOD, "valid"),
        ("110105491231002", GOOD, "converted"),
        ("110105491231002.0", GOOD, "converted"),
        (GOOD + "14", GOOD, "valid"),  # disability card: id, kind of disability, grade
        (GOOD + "44B1", GOOD, "valid"),
        (GOOD + "84", None, "invalid"),  # there is no eighth kind
        (GOOD[:17] + "014", None, "invalid"),
        ("5.10225E+17", None, "damaged"),
        ("5.1E17", None, "damaged"),
        ("110105194912310000", None, "damaged"),
        ("11010519491231002000000"[:20], None, "invalid"),
        ("11010519491231000000", None, "damaged"),  # a rounded card number
        ("110105194912310021", None, "invalid"),
        ("110105194913310022", None, "invalid"),
        ("110105491331002", None, "invalid"),
        ("11010518991231002" + check_character("11010518991231002"), None, "invalid"),
        ("1101051949123100", None, "invalid"),
        ("没办", None, "invalid"),
        ("999999999999999999", None, "missing"),
        ("999999199001010011", None, "missing"),
        ("000000000000000", None, "missing"),
        *[(blank, None, "missing") for blank in BLANKS],
    ],
)
def test_what_stands_in_an_id_column(written, number, state):
    assert numbers([written]) == [(number, state)]


def test_a_number_that_ends_in_000_with_a_good_check_character_is_left_to_linking():
    body = next(
        b for n in range(1000) if check_character(b := f"4201151970{n % 12 + 1:02d}{n % 28 + 1:02d}{'00'}0") == "0"
    )
    assert numbers([body + "0"]) == [(body + "0", "valid")]


@settings(max_examples=30, deadline=None)
@given(st.lists(people, min_size=1, max_size=30), st.data())
def test_no_way_of_writing_changes_a_valid_number(good, data):
    wide = str.maketrans("0123456789Xx", "０１２３４５６７８９Ｘｘ")
    ways = [
        str.lower,
        lambda s: s.translate(wide),
        lambda s: "'" + s,
        lambda s: s[:6] + "\u3000" + s[6:14] + " " + s[14:],
        lambda s: "\u200b" + s + "\t\r\n",
        lambda s: s[:17].translate(wide) + s[17].lower(),
        lambda s: s + "23",
    ]
    written = [data.draw(st.sampled_from(ways))(number) for number in good]
    assert numbers(written) == [(number, "valid") for number in good]


@settings(max_examples=30, deadline=None)
@given(people, st.integers(0, 16))
def test_a_wrong_digit_is_valid_only_where_check_character_and_birth_date_hold(number, position):
    changed = [number[:position] + d + number[position + 1 :] for d in "0123456789"]
    for text, (usable, state) in zip(changed, numbers(changed), strict=True):
        born = pl.Series([text[6:14]]).str.to_date("%Y%m%d", strict=False)[0]
        holds = check_character(text[:17]) == text[17] and born is not None and 1900 <= born.year <= 2099
        assert (usable == text) == (state == "valid") == (holds and not text.startswith("999999"))


@settings(max_examples=30, deadline=None)
@given(st.lists(people.filter(lambda n: "1900" <= n[6:10] <= "1999"), min_size=1, max_size=30))
def test_fifteen_digits_become_the_eighteen_they_stand_for(good):
    old = [n[:6] + n[8:17] for n in good if len(set(n[:6] + n[8:17])) > 1]
    assert numbers(old) == [(n, "converted") for n in good if len(set(n[:6] + n[8:17])) > 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(people, min_size=1, max_size=50))
def test_the_persons_key_is_splitmix64_and_stays_positive(good):
    def mix(number: str) -> int:
        z = int(number[:17])
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) % 2**64
        return (z ^ z >> 31) >> 4

    keys = pl.DataFrame({"n": good}).select(identity.person_id_of(pl.col("n"))).to_series()
    assert keys.dtype == pl.Int64
    assert keys.to_list() == [mix(n) for n in good]
    assert min(keys) >= 0


def test_the_persons_key_never_changes():
    frame = pl.DataFrame({"n": [GOOD, None]})
    assert frame.select(identity.person_id_of(pl.col("n"))).to_series().to_list() == [84660082626983192, None]


def test_birth_date_and_sex_come_from_the_number():
    frame = pl.DataFrame({"n": [GOOD, "110105194912310038", None]})
    row = frame.select(b=identity.birth_date_of(pl.col("n")), s=identity.sex_of(pl.col("n")))
    assert row.rows() == [(date(1949, 12, 31), "女"), (date(1949, 12, 31), "男"), (None, None)]


# --- dates ----------------------------------------------------------------------------------------------------------

DATE_FORMS = [
    lambda d: f"{d:%Y-%m-%d}",
    lambda d: f"{d.year}/{d.month}/{d.day}",
    lambda d: f"{d.year}.{d.month}.{d.day}",
    lambda d: f"{d:%Y%m%d}",
    lambda d: f"{d.year}年{d.month}月{d.day}日",
    lambda d: f"{d:%Y}年{d:%m}月{d:%d}日",
    lambda d: f"{d:%Y-%m-%d} 00:00:00",
    lambda d: f"{d:%Y-%m-%d}T08:00",
    lambda d: f"{d:%Y-%m-%d}T08:00:00.000Z",
    lambda d: f"{d.year}/{d.month}/{d.day} 8:30",
    lambda d: f"{d.year}年{d.month}月{d.day}日 8时30分",
    lambda d: f"{d:%Y%m%d}083000",
    lambda d: f"{d:%Y%m%d}.0",
    lambda d: f" {d.year} - {d.month} - {d.day}\t",
    lambda d: f"'{d:%Y-%m-%d}",
    lambda d: f"{d:%Y-%m-%d}".translate(str.maketrans("0123456789-", "０１２３４５６７８９－")),
]
SERIAL_FORMS = [lambda n: f"{n}", lambda n: f"{n}.0", lambda n: f"{n}.354167"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.sampled_from(DATE_FORMS)), min_size=1, max_size=40
    )
)
def test_a_day_is_read_back_in_every_spelling(days):
    assert read([form(day) for day, form in days], "date") == [(day, "ok") for day, _ in days]


@settings(max_examples=20, deadline=None)
@given(st.dates(date(1927, 5, 18), date(2100, 12, 31)), st.sampled_from(SERIAL_FORMS))
def test_serial_numbers_of_spreadsheets_are_days(day, form):
    assert one(form((day - date(1899, 12, 30)) // timedelta(days=1)), "date") == day


@pytest.mark.parametrize(
    "written",
    ["2026-03", "202603", "2026/3", "2026年3月", "2026年03月", "2026.03", "202603.0", "２０２６年３月", "2026.3"],
)
def test_a_month_is_its_first_day(written):
    assert one(written, "date") == date(2026, 3, 1)
    assert one(written, "month") == date(2026, 3, 1)


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-30",
        "2026-13-01",
        "2026-00-01",
        "20260230",
        "202613",
        "26-3-5",
        "21-3-4",
        "abc",
        "2026",
        "18991231",
        "1899-12-31",
        "2101-01-01",
        "99991231",
        "3/5/2026",
        "2026030508",
        "2026-03-05 25:00",
        "2026.1",
        "60",
        "9999",
        "1.5",
        "长期",
    ],
)
def test_what_is_no_day_is_never_guessed(written):
    assert read([written], "date") == [(None, "unclear")]


@pytest.mark.parametrize("name", ["valid_until", "end_date", "transition_end_date"])
@pytest.mark.parametrize("written", ["长期", "永久", "99991231", "9999-12-31"])
def test_no_end_is_blank_where_something_ends(name, written):
    assert read([written], "date", name=name) == [(None, "blank")]


@pytest.mark.parametrize(
    "written", ["2026-11", "202611", "2026年11月", "2026/11", "2026-11-05", "20261130", "2026-11-30 23:59:59"]
)
def test_months(written):
    assert one(written, "month") == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("2026", 2026),
        ("2026年", 2026),
        ("2026年度", 2026),
        ("2026.0", 2026),
        ("２０２６", 2026),
        ("2025-2026学年", 2025),
        ("2025—2026学年度", 2025),
        ("2026-01-01", 2026),
        ("202601", 2026),
        ("2025-2026", None),
        ("46086", None),
        ("26", None),
        ("1899", None),
        ("2101", None),
    ],
)
def test_years(written, year):
    assert read([written], "year") == [(year, "ok" if year else "unclear")]


# --- amounts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1,234.56", "1234.56"),
        ("1，234", "1234"),
        ("１２３４．５", "1234.5"),
        ("1 234", "1234"),
        ("650元", "650"),
        ("￥650.5", "650.5"),
        ("¥650", "650"),
        ("12%", "12"),
        ("1.2万", "12000"),
        ("1.2万元", "12000"),
        ("0.00012万", "1.2"),
        ("1.5亿元", "150000000"),
        ("500万人民币", "5000000"),
        ("12元整", "12"),
        ("-100", "-100"),
        ("－100", "-100"),
        ("−100", "-100"),
        ("(1,200)", "-1200"),
        ("（300）", "-300"),
        ("1.005", "1.01"),
        ("1.0049", "1"),
        ("2.675", "2.68"),
        ("-1.005", "-1.01"),
        ("0", "0"),
        ("1.2E+5", "120000"),
        ("999999999999.99", "999999999999.99"),
        (".5", "0.5"),
        ("1.1500000000000001", "1.15"),
    ],
)
def test_amounts(written, amount):
    assert read([written], "amount") == [(Decimal(amount), "ok")]


@pytest.mark.parametrize(
    "written",
    [
        "12,5",
        "1,2345",
        "一百",
        "100万美元",
        "100-200",
        "2026-03-05",
        "--5",
        "-(5)",
        "(5",
        "万",
        "1000000000000",
        "约500",
    ],
)
def test_what_is_no_amount_is_never_guessed(written):
    assert read([written], "amount") == [(None, "unclear")]


def test_the_unit_in_the_heading_counts_unless_the_cell_says_its_own():
    assert [v for v, _ in read(["5", "5.5", "5元", "5万", "1,000"], "amount", scale=10000)] == [
        50000,
        55000,
        5,
        50000,
        10000000,
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.decimals(-999_999_999, 999_999_999, places=2, allow_nan=False), min_size=1, max_size=30))
def test_an_amount_is_read_back_with_separators_signs_and_suffixes(amounts):
    for form in (
        lambda a: f"{a}",
        lambda a: f"{a:,}",
        lambda a: f"{a:,}元",
        lambda a: f"({-a})" if a < 0 else f"¥ {a}",
    ):
        written = [str(form(a)) for a in amounts]  # type: ignore[no-untyped-call]
        assert [v for v, _ in read(written, "amount")] == amounts


@pytest.mark.parametrize(
    ("written", "count"),
    [("12", 12), ("12.0", 12), ("1,200", 1200), ("12人", 12), ("１２", 12), ("12.5", None), ("十二", None)],
)
def test_counts(written, count):
    assert one(written, "count") == count


def test_units_of_area_and_time_stand_only_in_their_columns():
    assert one("120㎡", "amount", unit="square metres") == 120
    assert one("6个月", "amount", unit="months") == 6
    assert not understood("6个月", "amount", unit="yuan")


# --- yes/no, codes, blanks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        *[
            (w, True)
            for w in ["是", "有", "√", "✓", "1", "1.0", "Y", "y", "yes", "TRUE", "true", "已", "安全", " 是 ", "Ｙ"]
        ],
        *[(w, False) for w in ["否", "无", "×", "0", "0.0", "N", "no", "FALSE", "false", "未", "没有", "不安全", "x"]],
    ],
)
def test_yes_and_no(written, answer):
    assert read([written], "yesno", heading="住房是否安全") == [(answer, "ok")]


def test_neither_yes_nor_no():
    assert read(["不确定", "基本", "-", "不详"], "yesno") == [
        (None, "unclear"),
        (None, "unclear"),
        (None, "blank"),
        (None, "blank"),
    ]


def test_blanks_are_blank_in_every_type():
    types = ("text", "name", "id", "date", "month", "year", "amount", "count", "phone")
    for type_ in types:
        assert read([*BLANKS, None], type_) == [(None, "blank")] * (len(BLANKS) + 1), type_


def test_a_code_list_that_knows_the_word_for_nothing_wins():
    codes = load_feeds()["disasters"].std_columns()["dwelling_damage"].codes
    assert read(["无", "未受损", "/", "倒 房", "塌"], "code", codes=codes) == [
        ("无", "ok"),
        ("无", "ok"),
        (None, "blank"),
        ("倒塌", "ok"),
        (None, "unclear"),
    ]


def test_codes_that_are_numbers_and_sexes():
    feeds = load_feeds()
    grade = feeds["disability"].std_columns()["grade"].codes
    assert [v for v, _ in read(["一级", "２", "3.0", "肆级", "5"], "code", codes=grade, number=True)] == [
        1,
        2,
        3,
        4,
        None,
    ]
    sex = feeds["registry"].std_columns()["sex"].codes
    assert [v for v, _ in read(["男", "女 ", "1", "2", "0"], "code", codes=sex)] == ["男", "女", "男", "女", None]


def test_several_codes_are_kept_once_each_in_one_order():
    codes = load_feeds()["registry"].std_columns()["health"].codes
    written = ["健康", "长期慢性病,残疾", "残疾；慢性病", "残疾 / 残疾", "重病且重残", "残疾、瘦", "瘦", "无", None]
    assert read(written, "codes", codes=codes) == [
        ("健康", "ok"),
        ("残疾、长期慢性病", "ok"),
        ("残疾、长期慢性病", "ok"),
        ("残疾", "ok"),
        ("大病、残疾", "ok"),
        ("残疾", "unclear"),
        (None, "unclear"),
        (None, "blank"),
        (None, "blank"),
    ]


def test_every_spelling_of_every_feed_means_its_own_code():
    for feed in load_feeds().values():
        for column in feed.std_columns().values():
            if column.type == "code":
                pairs = [(s, code) for code, others in column.codes.items() for s in (code, *others)]
                values = [v for v, _ in read([s for s, _ in pairs], "code", codes=column.codes, number=column.number)]
                assert [str(v) for v in values] == [code for _, code in pairs], (feed.id, column.name)


# --- text -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dot", list("·•.．‧・･"))
def test_the_dot_in_minority_names_is_one_dot(dot):
    assert one(f"阿卜杜拉{dot} 买买提", "name") == "阿卜杜拉·买买提"


@pytest.mark.parametrize("written", ["张三", "张 三", " 张　三\t", "张\u200b三", "'张三", "张\n三"])
def test_blanks_in_names_do_not_count(written):
    assert one(written, "name") == "张三"


def test_case_of_letters_in_names_stays():
    assert one("Ａlim·K", "name") == "Alim·K"


def test_running_text_stays_readable():
    written = ["１２３号，东　山", "a  b", "1001.0", "'0012", "家里困难，请帮助（急）", "张 三 丰"]
    assert [v for v, _ in read(written)] == ["123号，东山", "a b", "1001", "0012", "家里困难，请帮助（急）", "张三丰"]


def test_places_have_one_spelling():
    values = [v for v, _ in read(["东山村(社区)", " 东山 村（社区）", "东山村（社区）"], name="village")]
    assert set(values) == {"东山村（社区）"}


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("13800138000", "13800138000"),
        ("13800138000.0", "13800138000"),
        ("138 0013-8000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("13800138000、13900139000", "13800138000"),
        ("13800138000/13900139000", "13800138000"),
        ("13800138000 13900139000", "13800138000"),
        ("+86 13800138000", "13800138000"),
        ("0717-3245678", "07173245678"),
        ("(0717)3245678；13800138000", "07173245678"),
        ("1.38E+10", None),
        ("138****8000", None),
        ("12345", None),
    ],
)
def test_phones(written, phone):
    assert one(written, "phone") == phone


# --- the short way --------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text("05X1２Ee.-无空张三未知NULnull '", max_size=6)
        | people
        | st.dates(date(1890, 1, 1), date(2110, 1, 1)).map(str)
        | st.sampled_from(
            [
                GOOD,
                GOOD[:-1] + "1",
                "1" * 17 + "X",
                "9" * 18,
                "999999198001010017",
                "暂无",
                "2026-02-30",
                "+1010519491231002X",
                "011010519491231002",
                "12800000000",
                "13800000000",
                "8613800000000",
                "05771234567",
            ]
        ),
        min_size=1,
        max_size=40,
    )
)
def test_cells_that_need_no_cleaning_come_out_as_if_cleaned(cells):
    codes = {"无": ("空",), "张三": ("1", "nul"), "x": ("0", "５")}
    for type_ in (*_PLAIN, "id", "date", "yesno", "code"):
        column = Column(name="x", heading="某列", type=type_, codes=codes)
        short = read(list(cells), type_, codes=codes)
        frame = pl.DataFrame({"raw": cells}, schema={"raw": pl.String}).lazy()
        long = _parse(frame, column, 1).with_columns(pl.col("value").cast(type_of(column))).collect()
        assert [v for v, _ in short] == long["value"].to_list(), type_
        assert [s == "blank" for _, s in short] == long["blank"].to_list(), type_
        assert [s == "unclear" for _, s in short] == long["unclear"].to_list(), type_


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(max_size=25) | st.text("0123456789٣१Xx.-/年月日万元,()E+ :T", max_size=25), min_size=1, max_size=40
    )
)
def test_no_cell_stops_the_load(cells):
    for type_ in ("name", "id", "text", "phone", "date", "month", "year", "amount", "count", "yesno"):
        assert len(read(list(cells), type_)) == len(cells)
    for type_ in ("code", "codes"):
        assert len(read(list(cells), type_, codes={"甲": ("乙",)})) == len(cells)


@pytest.mark.parametrize(
    ("born", "known"),
    [
        ("18991231", False),
        ("19000101", True),
        ("20991231", True),
        ("21000101", False),
        ("20240229", True),
        ("20230229", False),
    ],
)
def test_a_number_is_usable_whose_day_of_birth_exists_and_could_be_of_somebody_alive(born, known):
    body = f"500999{born}001"
    number = body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]
    assert (one(number, "id") == number) is known
    stated = pl.DataFrame({"n": [number]}).select(identity.birth_date_of(pl.col("n"))).item()
    assert stated == (date(int(born[:4]), int(born[4:6]), int(born[6:])) if known else None)
