"""What a file is by its first bytes, never by its name; what cannot be a ledger is refused in the clerk's words."""

from __future__ import annotations

from pipelines.reading.model import Unreadable

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AS = "请用 Excel 或 WPS 打开，另存为 .xlsx 再报"
_OTHER = (
    (b"%PDF", "这是 PDF 文件，不是表格；请报导出的 .xlsx 或 .csv"),
    (b"Rar!", "这是 RAR 压缩包；请解压后把里面的表格报上来"),
    (b"7z\xbc\xaf", "这是 7z 压缩包；请解压后把里面的表格报上来"),
    (b"\x1f\x8b", "这是 gzip 压缩包；请解压后把里面的表格报上来"),
    (b"\x89PNG", "这是图片，不是表格；请报导出的 .xlsx 或 .csv"),
    (b"\xff\xd8\xff", "这是图片，不是表格；请报导出的 .xlsx 或 .csv"),
    (b"{\\rtf", "这是 RTF 文档，不是表格；请报导出的 .xlsx 或 .csv"),
    (b"SQLite format 3", "这是数据库文件，不是表格；请报导出的 .xlsx 或 .csv"),
    (b"PAR1", "这是 Parquet 文件；请报导出的 .xlsx 或 .csv"),
)


def sniff(data: bytes) -> str:
    """`xlsx`, `xls` or `csv` (any text). Raises Unreadable for everything else."""
    nothing = b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"
    if not data[:4096].strip(nothing) and not data.strip(nothing):
        raise Unreadable("文件是空的；请重新导出再报")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "xlsx"
    if data.startswith(_OLE):
        return _ole(data)
    for magic, words in _OTHER:
        if data.startswith(magic):
            raise Unreadable(words)
    start = data[:2048].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<head", b"<meta", b"<style", b"<div", b"mime-version")):
        raise Unreadable(f"这是存成表格名字的网页（HTML），不是真正的 Excel 文件；{_SAVE_AS}")
    if start.startswith((b"<?xml", b"<workbook", b"<?mso")):
        raise Unreadable(f"这是 XML 表格，不是真正的 Excel 文件；{_SAVE_AS}")
    return "csv"


def _ole(data: bytes) -> str:
    """The old Office container holds workbooks, Word documents and encrypted new workbooks alike."""

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if not (holds("Workbook") or holds("Book")):
        if holds("EncryptedPackage"):
            raise Unreadable("工作簿设了打开密码，读不出来；请去掉密码后再报")
        if holds("WordDocument"):
            raise Unreadable("这是 Word 文档，不是表格；请把表格存成 .xlsx 再报")
        raise Unreadable(f"这不是 Excel 工作簿，或者文件不完整；{_SAVE_AS}")
    if holds("_VBA_PROJECT"):
        raise Unreadable("工作簿里有宏，不能接收；请另存为不含宏的 .xlsx 再报")
    return "xls"
