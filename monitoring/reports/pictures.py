"""Bars as a PNG for Word, drawn with a Chinese font that the machine has; without one there is no picture, never empty boxes."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from monitoring.reports.shape import Picture

# By likelihood on the machines of an office; the first one that has the glyphs is taken.
FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "SimHei", "DengXian",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "Heiti SC", "Noto Serif CJK SC", "Noto Serif CJK JP", "FangSong",
    "SimSun", "AR PL UMing CN", "Droid Sans Fallback",
)  # fmt: skip
NO_FONT = "这台服务器没有中文字体，图未画出；表中是同样的数字。（请管理员安装中文字体，如 fonts-noto-cjk）"
_ASKED = "低收入人口预警户"
_BAR, _INK, _MUTED, _LINE = "#8FB8DC", "#1F2933", "#5B6B7B", "#D9E0E7"


@cache
def chinese_font() -> Path | None:
    """The file of a font with Chinese glyphs; None where the machine has none."""
    fonts = sorted(
        font_manager.fontManager.ttflist, key=lambda font: (font.name, str(font.weight) != "400", font.fname)
    )
    held = {font.name: Path(font.fname) for font in reversed(fonts)}  # the regular weight where there are several
    for family in FAMILIES:
        path = held.get(family)
        if path is not None and path.is_file() and _has_glyphs(path):
            return path
    return None


def draw(picture: Picture, font: Path) -> bytes:
    """Horizontal bars from 0, the first on top, the figure beside each."""
    size = FontProperties(fname=str(font), size=10)
    rows = list(reversed(picture.bars))
    figure = Figure(figsize=(6.1, 0.34 * max(len(rows), 1) + 0.5), dpi=200)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.barh(range(len(rows)), [value for _, value, _ in rows], color=_BAR, height=0.62)
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows], fontproperties=size, color=_INK)
    top = max([1.0, *(value for _, value, _ in rows)])
    axes.set_xlim(0, 1.18 * top)
    for place, (_, value, said) in enumerate(rows):
        axes.text(value + 0.012 * top, place, said, va="center", fontproperties=size, color=_INK)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(_LINE)
    figure.tight_layout(pad=0.4)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _has_glyphs(path: Path) -> bool:
    face = FT2Font(str(path))
    return all(face.get_char_index(ord(char)) for char in _ASKED)
