"""Feed files: the 27 in the repository load, a county may add to them, and every mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.feeds import FEEDS_DIR, FeedError, load_feeds, normalise_heading

NEW_FEED = """
title = "低空飞行补贴"
department = "交通"
row = "a person"
kind = "state"
required = ["name", "route"]
columns = [ { name = "route", heading = "航线", type = "text" } ]
"""
SPLIT = """
[[layout]]
name = "a"
columns = [
  { name = "there", heading = "去程", type = "amount" },
  { name = "back", heading = "回程", type = "amount" },
  { name = "sum", heading = "合计", type = "amount" },
]
split = { into = "route", total = "sum", parts = { there = { sex = "男" }, back = { sex = "女" } } }
"""


def home(tmp_path: Path, **files: str) -> Path:
    for name, content in files.items():
        (tmp_path / f"{name}.toml").write_text(content, encoding="utf-8")
    return tmp_path


def complaints(extra: Path) -> str:
    with pytest.raises(FeedError) as error:
        load_feeds(extra)
    return str(error.value)


def test_the_contract_has_27_feeds_and_each_file_is_one_of_them():
    assert sorted(load_feeds()) == sorted(p.stem for p in FEEDS_DIR.glob("[a-z]*.toml"))
    assert len(load_feeds()) == 27


def test_shared_columns_come_first_unless_the_feed_has_its_own_or_does_without():
    feeds = load_feeds()
    assert list(feeds["deaths"].std_columns())[:2] == ["name", "id_number"]
    assert feeds["housing"].std_columns()["name"].heading == "户主姓名"
    assert "relation" not in feeds["housing"].std_columns()
    assert not {"name", "id_number"} & set(feeds["institutions"].std_columns())


def test_own_columns_are_those_that_tell_a_feed_from_the_others():
    assert [c.name for c in load_feeds()["deaths"].own_columns()] == ["death_date", "registered_date"]
    assert "name" not in [c.name for c in load_feeds()["housing"].own_columns()]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("身份证号（必填）", "身份证号"),
        (" 身 份\n证 号 *", "身份证号"),
        ("＊证件号码", "证件号码"),
        ("乡（镇）", "乡"),
        ("低保（特困）证号", "低保证号"),
        ("务工时间（月）", "务工时间"),
        ("ＡＢ", "ab"),
        ("（姓名）", "姓名"),
        ("姓名：", "姓名"),
        ("金额(（元）)", "金额"),
        ("姓\u200b名\u00a0", "姓名"),
    ],
)
def test_what_does_not_matter_in_a_heading_is_left_out(written: str, meant: str):
    assert normalise_heading(written) == meant


def test_a_county_adds_headings_and_layouts_to_a_feed(tmp_path: Path):
    extra = home(
        tmp_path, deaths='[aliases]\ndeath_date = ["亡故时间"]\n[[layout]]\nname = "村报"\nrequired = ["name"]\n'
    )
    feed = load_feeds(extra)["deaths"]
    assert feed.std_columns()["death_date"].aliases[-1] == "亡故时间"
    assert feed.layout("村报").required == ("name",)
    assert feed.layout("").required == ("name", "death_date")


def test_a_county_adds_a_feed_of_its_own(tmp_path: Path):
    assert load_feeds(home(tmp_path, flights=NEW_FEED))["flights"].title == "低空飞行补贴"


def test_a_county_without_a_feeds_folder_has_the_27(tmp_path: Path):
    assert len(load_feeds(tmp_path / "nowhere")) == 27


def test_all_complaints_about_all_files_come_together_each_with_file_fault_and_remedy(tmp_path: Path):
    extra = home(
        tmp_path,
        deaths='title = "别的"',
        flights=NEW_FEED.replace("text", "txt").replace('kind = "state"', 'kind = "sometimes"\ncolour = 1'),
        broken="title = ",
    )
    message = complaints(extra)
    assert "5 处不对" in message
    assert "deaths.toml：已有台账 deaths 只能补充，不能改 title" in message
    assert "flights.toml：有不认识的项 colour" in message
    assert "flights.toml：kind 写成了 'sometimes'；应为 state 或 event" in message
    assert "flights.toml：列 route 的 type 写成了 'txt'" in message
    assert "broken.toml：不是正确的 TOML" in message


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ('required = ["name", "route"]', 'required = ["name", "rout"]', "rout 不是这个台账的列；是不是 route"),
        ('type = "text"', 'type = "code"', "codes 与 type 不合"),
        ('type = "text"', 'type = "tekst"', "是不是 text"),
        ('heading = "航线", ', "", "缺 heading"),
        ('kind = "state"', 'kind = "event"', "event 台账要有 key"),
        ('kind = "state"', 'kind = "event"\nkey = ["rute"]', "rute 不是这个台账的列"),
        ('required = ["name", "route"]', "required = []", "至少要有一列必填"),
        ('type = "text" }', 'type = "text", opposite = ["不飞"] }', "只有 type 为 yesno"),
        ('type = "text" }', 'type = "text" }, { name = "route", heading = "线", type = "text" }', "写了两次"),
        ('type = "text" }', 'type = "text" }, { name = "line", heading = "航 线", type = "text" }', "同时属于"),
        ('department = "交通"', "department = 3", "应为文字"),
        ('row = "a person"', 'row = "a person"\nwithout = ["route"]', "without 里的 route 不是共用列"),
        ('row = "a person"', 'row = "a person"\nsubject = "cat"', "person 或 institution"),
        (NEW_FEED, NEW_FEED + '[[layout]]\nname = "a"\nrequired = ["x"]', "required 里的 x 不是这个台账的列"),
        (NEW_FEED, NEW_FEED + '[[layout]]\nname = "a"\nconstants = { sex = "雄" }', "应为 男、女"),
        (NEW_FEED, NEW_FEED + '[[layout]]\nname = "a"\nfrom_name = { x = 1 }', "from_name"),
        (NEW_FEED, NEW_FEED + '[[layout]]\nname = "a"\nkind = "b"', "person、family 或 roll"),
        (NEW_FEED, NEW_FEED + '[[layout]]\nname = "a"\n[[layout]]\nname = "a"', "已经用过"),
        (NEW_FEED, NEW_FEED + '[aliases]\nsekx = ["x"]', "是不是 sex"),
        (NEW_FEED, NEW_FEED + SPLIT.replace("into = ", "onto = "), "split：有不认识的项 onto；是不是 into"),
        (NEW_FEED, NEW_FEED + SPLIT.replace('into = "route"', 'into = "rout"'), "rout 不是这个台账的列；是不是 route"),
        (
            NEW_FEED,
            NEW_FEED + SPLIT.replace("parts = { there =", "parts = { their ="),
            "their 不是这种格式自己的金额列",
        ),
        (NEW_FEED, NEW_FEED + SPLIT.replace('total = "sum"', 'total = "name"'), "name 不是这种格式自己的金额列"),
        (NEW_FEED, NEW_FEED + SPLIT.replace('"女"', '"雌"'), "应为 男、女"),
        (NEW_FEED, NEW_FEED + SPLIT.replace("parts = {", "parts = { }, no = {"), "有不认识的项 no"),
        (NEW_FEED, NEW_FEED + SPLIT.replace('{ there = { sex = "男" }, back = { sex = "女" } }', "{}"), "parts 是空的"),
        (NEW_FEED, NEW_FEED + SPLIT + 'kind = "roll"', "只有 person 格式才能有 split"),
        (NEW_FEED, NEW_FEED + SPLIT + '[[layout]]\nname = "b"\nkind = "family"', "只能用其中一类"),
    ],
)
def test_each_mistake_is_named_with_what_would_be_right(tmp_path: Path, wrong: str, right: str, words: str):
    changed = NEW_FEED.replace(wrong, right)
    assert changed != NEW_FEED
    message = complaints(home(tmp_path, flights=changed))
    assert words in message
    assert "flights.toml" in message


def test_a_county_adds_a_layout_that_holds_two_records_in_a_row(tmp_path: Path):
    split = load_feeds(home(tmp_path, flights=NEW_FEED + SPLIT))["flights"].layout("a").split
    assert split is not None
    assert split.gives() == {"route", "sex"}


def test_the_layout_of_every_feed_can_be_asked_for_by_name():
    for feed in load_feeds().values():
        for layout in feed.layouts:
            assert feed.layout(layout.name) is layout
        with pytest.raises(KeyError):
            feed.layout("没有这种格式")
