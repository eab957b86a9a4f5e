"""Figures hold the numbers they were given, in the order and on the scale that the page promises."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from monitoring import charts
from monitoring.language import Language
from monitoring.queries.income import Income, Step

ZH, EN = Language("zh"), Language("en")


def square(name: str, x: float) -> dict[str, object]:
    ring = [[x, 0.0], [x + 1, 0.0], [x + 1, 1.0], [x, 1.0], [x, 0.0]]
    return {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


SHAPES = {"type": "FeatureCollection", "features": [square("甲镇", 0), square("乙镇", 1)]}


def test_a_township_without_a_figure_is_grey_and_not_zero() -> None:
    figure = charts.plot_map(SHAPES, ["甲镇", "乙镇", None], [3, None, 5], 10, "户", ZH)
    known, lacking = figure.data[0], figure.data[1]
    assert list(known.locations) == ["甲镇"] and list(known.z) == [3]
    assert list(lacking.locations) == ["乙镇"] and "不明" in lacking.text[0]
    assert (known.zmin, known.zmax) == (0, 10)


def test_labels_stand_in_the_middle_of_their_township() -> None:
    figure = charts.plot_map(SHAPES, ["甲镇"], [3], 10, "户", ZH)
    places = {text: lon for trace in figure.data[2:] for text, lon in zip(trace.text, trace.lon, strict=True)}
    assert abs(places["甲镇<br>3"] - 0.5) < 1e-9


def test_the_picked_township_has_its_border_on_top() -> None:
    figure = charts.plot_map(SHAPES, ["甲镇", "乙镇"], [3, 4], 10, "户", ZH, picked="甲镇")
    assert list(figure.data[0].locations) == ["乙镇", "甲镇"]
    assert figure.data[0].marker.line.width[-1] > figure.data[0].marker.line.width[0]


def test_a_month_of_which_a_programme_is_unknown_is_hatched_and_has_no_total() -> None:
    months = ["2026-09", "2026-10", "2026-11"]
    programmes: list[tuple[str, list[Decimal | None]]] = [
        ("低保", [Decimal(500), Decimal(0), Decimal(400)]),
        ("临时救助", [Decimal(100), None, Decimal(50)]),
    ]
    figure = charts.plot_money(months, programmes, ZH)
    assert [list(trace.y) for trace in figure.data[:2]] == [[500, 0, 400], [100, None, 50]]
    assert list(figure.data[2].x) == ["26-10"] and figure.data[2].marker.pattern.shape == "/"
    assert [note.text for note in figure.layout.annotations] == ["450"]
    whole = charts.plot_money(months, [("低保", [Decimal(1)] * 3)], EN)
    assert len(whole.data) == 1 and whole.data[0].name == "Dibao"


def test_programmes_beyond_the_sixth_stand_together() -> None:
    amounts: list[Decimal | None] = [Decimal(2), None]
    figure = charts.plot_money(["2026-10", "2026-11"], [(f"项目{n}", amounts) for n in range(9)], ZH)
    assert figure.data[6].name == "其他项目" and list(figure.data[6].y) == [6, None]


def assessed(floored: bool = False) -> Income:
    steps = (
        Step("wage", Decimal(12000), 500.0, True),
        Step("medical_cost", Decimal(2400), -600.0 if floored else -100.0, True),
        Step("education_cost", None, 0.0, True),
        Step("basic_pension", Decimal(1200), 50.0, False),
    )
    return Income("核对", date(2026, 5, 1), 2, Decimal(0 if floored else 400), Decimal(650), None, None, steps, floored)


def test_the_waterfall_ends_at_what_was_assessed_beside_the_standard() -> None:
    figure = charts.plot_income(assessed(), ZH)
    bars = figure.data[0]
    assert list(bars.y) == [500.0, -100.0, 400.0]
    assert bars.measure[-1] == "total" and bars.x[-1] == "月人均收入"
    assert figure.layout.shapes[0].y0 == 650
    assert figure.layout.yaxis.range[1] > 650


def test_deductions_beyond_the_income_say_that_it_counts_as_zero() -> None:
    bars = charts.plot_income(assessed(floored=True), ZH).data[0]
    assert any(label.startswith("不低于") for label in bars.x) and sum(bars.y[:-1]) == 0


def test_an_income_without_a_check_is_one_bar() -> None:
    income = Income("监测", None, 2, Decimal(400), Decimal(650), None, None, (), False)
    bars = charts.plot_income(income, ZH).data[0]
    assert list(bars.y) == [400.0] and bars.measure == ("absolute",)


def test_coverage_shares_add_up_and_unknown_is_hatched() -> None:
    rows = pl.DataFrame([
        {"key": "a", "title": "低保（整户）", "subject": "household", "eligible": 30, "covered": 20, "gap": 10, "unknown": 10, "judged": True},
        {"key": "b", "title": "单人保", "subject": "person", "eligible": 0, "covered": 0, "gap": 0, "unknown": 0, "judged": True},
    ])  # fmt: skip
    figure = charts.plot_coverage(rows, ZH)
    assert [trace.x[0] for trace in figure.data] == [50, 25, 25]
    assert figure.data[2].marker.pattern.shape == "/"


def test_programmes_run_from_the_windows_edge_to_as_of() -> None:
    rows = pl.DataFrame(
        [
            {
                "programme": "低保",
                "person_id": 1,
                "name": "张**",
                "detail": "整户",
                "amount": Decimal(300),
                "from_date": None,
                "until_date": None,
                "active": True,
            }
        ],
        schema_overrides={"from_date": pl.Date, "until_date": pl.Date},
    )
    figure = charts.plot_programmes(rows, date(2026, 11, 30), ZH)
    assert list(figure.data[0].x) == [date(2023, 11, 1), date(2026, 11, 30)]


def test_on_a_dark_page_words_and_grid_can_be_read() -> None:
    light = charts.plot_money(["2026-11"], [("低保", [Decimal(1)])], EN)
    assert _contrast(light.layout.font.color, "#FFFFFF") > 7
    assert _contrast(light.layout.font.color, "#12181F") < 2
    assert _contrast(charts.on_dark(light).layout.font.color, "#12181F") > 7


def _contrast(a: str, b: str) -> float:
    """WCAG contrast ratio of two colours."""
    one, other = sorted((_luminance(a), _luminance(b)))
    return (other + 0.05) / (one + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
