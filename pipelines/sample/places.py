"""Townships and villages of 青禾县, from `data/codes/places.toml`; villages multiply with the county's size."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.sample.chance import Bools, Chance, Ints

PLACES = Path(__file__).resolve().parents[2] / "data" / "codes" / "places.toml"
PEOPLE_PER_VILLAGE = 1100
MORE = ("上", "下", "东", "西", "南", "北", "前", "后", "大", "小", "新", "老")
STEMS = (
    "湾",
    "坪",
    "坝",
    "沟",
    "岩",
    "坡",
    "塘",
    "寨",
    "桥",
    "溪",
    "田",
    "林",
    "岭",
    "堡",
    "井",
    "洞",
    "滩",
    "嘴",
    "垭",
    "山",
)


@dataclass(frozen=True)
class Places:
    """One row is a village; `township` points into `townships`."""

    county: str
    townships: list[str]
    villages: list[str]
    township: Ints
    urban: Bools
    share: np.ndarray
    slack: np.ndarray
    """One a township: how often work is left undone there, 1 = as everywhere. Three townships are clearly worse."""


def village_names(listed: list[str], needed: int, urban: bool) -> list[str]:
    """The names of the code list first; then made ones, which never repeat within a township."""
    end = "社区" if urban else "村"
    made = [more + stem + end for stem in STEMS for more in MORE]
    made += [more + stem + last + end for last in STEMS for stem in STEMS for more in MORE if stem != last]
    return [*listed, *(name for name in made if name not in set(listed))][:needed]


def load_places(chance: Chance, persons: int, path: Path = PLACES) -> Places:
    """As many villages as `persons` need, two a township at least; the townships are always the same fourteen."""
    codes = tomllib.loads(path.read_text(encoding="utf-8"))
    towns = codes["township"]
    total = sum(town["weight"] for town in towns)
    villages: list[str] = []
    township: list[int] = []
    urban: list[bool] = []
    share: list[float] = []
    for index, town in enumerate(towns):
        people = persons * town["weight"] / total
        names = village_names(town["villages"], max(2, round(people / PEOPLE_PER_VILLAGE)), town["urban"])
        villages += names
        township += [index] * len(names)
        urban += [name.endswith("社区") for name in names]
        size = 0.6 + chance.share("village size", index, np.arange(len(names)))
        share += (size / size.sum() * town["weight"] / total).tolist()
    order = 3 + np.argsort(chance.share("slack order", np.arange(3, len(towns))))
    slack = 0.45 + 0.5 * chance.share("slack", np.arange(len(towns)))
    slack[order[:3]] = (3.2, 2.6, 2.2)
    return Places(
        codes["county"],
        [town["name"] for town in towns],
        villages,
        np.asarray(township),
        np.asarray(urban),
        np.asarray(share),
        slack,
    )
