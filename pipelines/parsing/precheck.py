"""Refuse a hostile .xlsx before any parser sees it. Counts real bytes, not the declared ones (security.md, 5.2)."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from pipelines.parsing import Unreadable

MAX_PART = 1 << 30
MAX_TOTAL = 3 << 29
MAX_PARTS = 200
MAX_RATIO = 200
MAX_AREA = 60_000_000
MAX_CELL = 32_767
_COLUMNS = re.compile(rb'r="([A-Z]{1,3})[0-9]')
_ROWS = re.compile(rb'r="[A-Z]{1,3}([0-9]{1,7})"')
_TOO_LARGE = "工作簿解压后太大，不像正常的台账；请只保留台账所在的表，另存后再报"
_STRANGE = "工作簿的内部结构不正常，可能有害；请用 Excel 或 WPS 打开，另存为新的 .xlsx 再报"


def precheck(path: Path) -> None:
    """Raises Unreadable with the reason in Chinese; returns for a workbook that may be parsed."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            names = [part.filename for part in parts]
            _check_names(parts, names)
            total = 0
            area = [0, 0]
            for part in parts:
                total += _check_part(archive, part, total, area)
    except Unreadable:
        raise
    except Exception:  # zlib.error, struct.error, UnicodeDecodeError …: whatever broken archives provoke
        raise Unreadable("工作簿不完整或已损坏；请重新导出，或用 Excel 打开后另存再报") from None


def _check_names(parts: list[zipfile.ZipInfo], names: list[str]) -> None:
    if "xl/workbook.xml" not in names:
        if "xl/workbook.bin" in names:
            raise Unreadable("这是 .xlsb 工作簿；请另存为 .xlsx 再报")
        if "word/document.xml" in names:
            raise Unreadable("这是 Word 文档，不是表格；请把表格存成 .xlsx 再报")
        raise Unreadable("这是压缩包，不是 Excel 工作簿；请解压后把里面的表格报上来")
    if len(names) > MAX_PARTS or len(set(names)) != len(names):
        raise Unreadable(_STRANGE)
    for part, name in zip(parts, names, strict=True):
        is_link = (part.external_attr >> 16) & 0o170000 == 0o120000
        if name.startswith(("/", "\\")) or ".." in name or "\\" in name or is_link:
            raise Unreadable(_STRANGE)
        if part.flag_bits & 1:
            raise Unreadable("工作簿设了打开密码，读不出来；请去掉密码后再报")
        if name.lower().endswith(".bin") and "vba" in name.lower():
            raise Unreadable("工作簿里有宏，不能接收；请另存为不含宏的 .xlsx 再报")


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, before: int, area: list[int]) -> int:
    """Bytes of one part. `area`: rows and columns used so far, widened here."""
    is_xml = part.filename.endswith(".xml")
    is_sheet = is_xml and part.filename.startswith("xl/worksheets/")
    size, tail = 0, b""
    with archive.open(part) as stream:
        while chunk := stream.read(1 << 20):
            size += len(chunk)
            if size > MAX_PART or before + size > MAX_TOTAL:
                raise Unreadable(_TOO_LARGE)
            if size > 50 << 20 and size > MAX_RATIO * max(part.compress_size, 1):
                raise Unreadable(_TOO_LARGE)
            if size == len(chunk) and b"<!DOCTYPE" in chunk[:4096]:
                raise Unreadable(_STRANGE)
            if is_xml and len(chunk) > MAX_CELL * 4 and b"<" not in chunk:
                raise Unreadable("有一个单元格的内容长得不正常；请检查后另存再报")
            if is_sheet:
                _widen(area, tail + chunk)
                tail = chunk[-16:]
    return size


def _widen(area: list[int], piece: bytes) -> None:
    area[0] = max(area[0], *map(int, set(_ROWS.findall(piece))), 0)
    area[1] = max(area[1], *map(_column_number, set(_COLUMNS.findall(piece))), 0)
    if area[0] * area[1] > MAX_AREA:
        raise Unreadable(
            f"表格范围太大（{area[0]} 行 × {area[1]} 列），多半是在很远的单元格误填了内容；请删掉多余的行和列再报"
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
