"""The townships' outlines that a county gives: `codes/townships.geojson` in its home, read strictly.

A GeoJSON FeatureCollection in degrees; each feature has `properties.name`, the township as the registry writes it, and a
polygon. Every complaint at once, each with the feature, what is wrong and what would be right. The sample county has its
own, which is nobody else's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parents[1] / "data" / "codes" / "townships.geojson"
NAME = Path("codes") / "townships.geojson"
LARGEST = 5_000_000  # bytes: every visitor's browser is sent it
MOST = 20  # complaints that are told
DEGREES = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:EPSG::4490",
           "EPSG:4326", "EPSG:4490")  # fmt: skip


@dataclass(frozen=True)
class Complaint:
    """One thing wrong: which feature, what is wrong, and what would be right."""

    where: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.where}：{self.wrong}。应为：{self.right}。"


class OutlinesError(ValueError):
    """The file cannot be drawn; `complaints` says all that is wrong."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))


def outlines_of(home: Path, sample: bool) -> dict[str, Any] | None:
    """The county's own outlines; the sample's where it is the sample; None where there are none. Raises OutlinesError."""
    own = home / NAME
    if not own.is_file() and not sample:
        return None
    path = own if own.is_file() else SAMPLE
    known = path.stat()
    return _loaded(path, known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=4)
def _loaded(path: Path, _changed: int, _size: int) -> dict[str, Any]:
    """Every visitor's page asks for it; read anew when the file has changed."""
    return load_outlines(path)


def load_outlines(path: Path) -> dict[str, Any]:
    """The file as it is drawn: rings turned as browsers want them, and of the properties the name only. Raises OutlinesError."""
    file = path.name
    if path.stat().st_size > LARGEST:
        raise OutlinesError(
            [Complaint(file, f"文件有 {path.stat().st_size / 1e6:.1f} MB，太大", "不超过 5 MB；请先简化边界")]
        )
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise OutlinesError([Complaint(file, "文件不是 UTF-8 编码", "另存为 UTF-8")]) from None
    except ValueError as error:
        raise OutlinesError([Complaint(file, f"不是有效的 JSON（{error}）", "从制图软件导出 GeoJSON")]) from None
    complaints: list[Complaint] = []
    features = _features(file, content, complaints)
    drawn = [_feature(f"第 {n} 个要素", feature, complaints) for n, feature in enumerate(features, 1)]
    names = [one["properties"]["name"] for one in drawn if one]
    for name in sorted({name for name in names if names.count(name) > 1}):
        complaints.append(Complaint(f"乡镇“{name}”", "出现了不止一次", "一个乡镇一个要素，几块地合成一个 MultiPolygon"))
    if complaints:
        more = (
            [Complaint(file, f"还有 {len(complaints) - MOST} 处同类问题", "一并改正")] if len(complaints) > MOST else []
        )
        raise OutlinesError([*complaints[:MOST], *more])
    return {"type": "FeatureCollection", "features": drawn}


def _features(file: str, content: Any, complaints: list[Complaint]) -> list[Any]:
    if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
        complaints.append(Complaint(file, "不是 FeatureCollection", '最外层 "type": "FeatureCollection"'))
        return []
    crs = content.get("crs")
    named = (
        crs.get("properties", {}).get("name")
        if isinstance(crs, dict) and isinstance(crs.get("properties"), dict)
        else None
    )
    if crs is not None and named not in DEGREES:
        complaints.append(
            Complaint(file, f"坐标系 {named or crs} 不是经纬度", "导出为 CGCS2000（EPSG:4490）或 WGS84 经纬度")
        )
    features = content.get("features")
    if not isinstance(features, list) or not features:
        complaints.append(Complaint(file, "没有要素", '"features" 里一个乡镇一个要素'))
        return []
    return features


def _feature(where: str, feature: Any, complaints: list[Complaint]) -> dict[str, Any] | None:
    """One township as it is drawn; None and complaints where it can't be."""
    before = len(complaints)
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        complaints.append(Complaint(where, "不是 Feature", '"type": "Feature"'))
        return None
    properties = feature.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not name.strip():
        complaints.append(Complaint(where, "没有 name 属性", '"properties": {"name": "与户籍台账写法一致的乡镇名"}'))
    else:
        where = f"{where}（{name.strip()}）"
    shape = feature.get("geometry")
    kind = shape.get("type") if isinstance(shape, dict) else None
    if not isinstance(shape, dict) or kind not in ("Polygon", "MultiPolygon"):
        complaints.append(Complaint(where, f"图形是 {kind or '空'}", "Polygon 或 MultiPolygon"))
        return None
    polygons = [shape.get("coordinates")] if kind == "Polygon" else shape.get("coordinates")
    if (
        not isinstance(polygons, list)
        or not polygons
        or not all(isinstance(polygon, list) and polygon for polygon in polygons)
    ):
        complaints.append(Complaint(where, "没有坐标", '"coordinates" 里一个或几个面'))
        return None
    turned = [
        [_ring(where, ring, outer=n == 0, complaints=complaints) for n, ring in enumerate(polygon)]
        for polygon in polygons
    ]
    if len(complaints) > before:
        return None
    return {
        "type": "Feature",
        "properties": {"name": str(name).strip()},
        "geometry": {"type": "MultiPolygon", "coordinates": turned},
    }


def _ring(where: str, ring: Any, outer: bool, complaints: list[Complaint]) -> list[list[float]]:
    """One ring, an outer one clockwise and a hole the other way: turned wrongly, a browser fills the rest of the world."""
    if not isinstance(ring, list) or not all(_is_point(point) for point in ring):
        complaints.append(Complaint(where, "坐标不是 [经度, 纬度] 数字", "每个点两个数，如 [102.35, 27.91]"))
        return []
    points = [[float(point[0]), float(point[1])] for point in ring]
    if far := next((point for point in points if abs(point[0]) > 180 or abs(point[1]) > 90), None):
        complaints.append(
            Complaint(where, f"坐标 {far[0]:.0f}, {far[1]:.0f} 不是经纬度，像是以米计的投影坐标", "导出为经纬度")
        )
        return []
    if len(points) < 4 or points[0] != points[-1]:
        complaints.append(Complaint(where, "边界没有闭合", "至少 4 个点，最后一点与第一点相同"))
        return []
    clockwise = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(points)) < 0
    return points if clockwise == outer else points[::-1]


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) >= 2
        and all(
            isinstance(part, int | float) and not isinstance(part, bool) and math.isfinite(part) for part in point[:2]
        )
    )
