"""A county's own outlines are read strictly, complained of in words, and turned as a browser wants them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitoring.outlines import NAME, SAMPLE, OutlinesError, load_outlines, outlines_of

RING = [
    [102.0, 27.0],
    [103.0, 27.0],
    [103.0, 28.0],
    [102.0, 28.0],
    [102.0, 27.0],
]  # anticlockwise, as the standard says
HOLE = [[102.2, 27.2], [102.2, 27.4], [102.4, 27.4], [102.2, 27.2]]


def feature(name: Any = "甲镇", rings: Any = None, kind: str = "Polygon") -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"name": name, "code": 1},
        "geometry": {"type": kind, "coordinates": rings or [RING]},
    }


def written(folder: Path, content: Any) -> Path:
    path = folder / NAME
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def collection(*features: Any, **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **more}


def test_rings_are_turned_so_that_a_browser_fills_the_inside_and_only_names_are_kept(tmp_path: Path) -> None:
    shapes = load_outlines(
        written(tmp_path, collection(feature(rings=[RING, HOLE]), feature("乙镇", [[RING[::-1]]], "MultiPolygon")))
    )
    one, other = shapes["features"]
    assert one["properties"] == {"name": "甲镇"} and one["geometry"]["coordinates"] == [[RING[::-1], HOLE[::-1]]]
    assert other["geometry"]["coordinates"] == [[RING[::-1]]]


def test_the_sample_has_its_own_and_another_county_has_none_of_it(tmp_path: Path) -> None:
    found = outlines_of(tmp_path, sample=True)
    assert found is not None and len(found["features"]) == 14 and outlines_of(tmp_path, sample=False) is None
    written(tmp_path, collection(feature("己镇")))
    for sample in (True, False):
        found = outlines_of(tmp_path, sample)
        assert found is not None and [one["properties"]["name"] for one in found["features"]] == ["己镇"]
    assert SAMPLE.is_file()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "不是有效的 JSON"),
        ([1], "不是 FeatureCollection"),
        (collection(), "没有要素"),
        (
            collection(feature(), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4528"}}),
            "不是经纬度",
        ),
        (collection(3), "不是 Feature"),
        (collection(feature(name=" ")), "没有 name 属性"),
        (collection(feature(name=None)), "没有 name 属性"),
        (collection(feature(kind="LineString")), "图形是 LineString"),
        (collection({"type": "Feature", "properties": {"name": "甲镇"}, "geometry": None}), "图形是 空"),
        (collection(feature(rings=[RING[:-1]])), "没有闭合"),
        (collection(feature(rings=[[RING[0], RING[1], RING[0]]])), "没有闭合"),
        (collection(feature(rings=[[["102", 27.0], *RING[1:]]])), "不是 [经度, 纬度] 数字"),
        (collection(feature(rings=[[[True, 27.0], *RING[1:]]])), "不是 [经度, 纬度] 数字"),
        (collection(feature(rings=[[[397000.5, 3012345.0], *RING[1:]]])), "以米计的投影坐标"),
        (collection(feature(), feature()), "出现了不止一次"),
    ],
)
def test_what_cannot_be_drawn_is_complained_of_in_words(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(OutlinesError) as refused:
        load_outlines(written(tmp_path, content))
    assert said in str(refused.value) and "应为" in str(refused.value)


def test_every_complaint_comes_at_once_and_names_its_township(tmp_path: Path) -> None:
    bad = [feature(f"第{n}镇", [RING[:-1]]) for n in range(30)]
    with pytest.raises(OutlinesError) as refused:
        load_outlines(written(tmp_path, collection(*bad, feature(""))))
    assert "第 3 个要素（第2镇）" in str(refused.value) and "还有 11 处" in str(refused.value)


def test_a_file_that_is_too_large_or_of_another_encoding_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, " " * 5_000_001)
    with pytest.raises(OutlinesError, match="太大"):
        load_outlines(path)
    path.write_bytes('{"type": "甲"}'.encode("gbk"))
    with pytest.raises(OutlinesError, match="UTF-8"):
        load_outlines(path)
    written(tmp_path, collection(feature(), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}))
    assert len(load_outlines(path)["features"]) == 1
