"""A report as a Word file, set like an official document: 仿宋 for text, 黑体 for headings, 宋体 for the title, A4, page numbers.

Word takes the reader's fonts. Pictures are drawn here; on a machine without a Chinese font the tables stand for them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime

from docx import Document
from docx.document import Document as Paper
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from monitoring.reports.pictures import NO_FONT, chinese_font, draw
from monitoring.reports.shape import Report, Section, Table, numeral

TITLE, HEAD, TEXT = "宋体", "黑体", "仿宋"
_FIXED = datetime(2000, 1, 1, tzinfo=UTC)  # a file's own properties; what the report says stands in its text


def write_word(report: Report) -> bytes:
    paper = Document()
    _page(paper)
    _line(paper, report.title, TITLE, 22, bold=True, centre=True, after=10)
    for said in report.told:
        _line(paper, said, TEXT, 12, centre=True, after=2)
    font = chinese_font()
    if font is None and any(section.picture for section in report.sections):
        _line(paper, NO_FONT, TEXT, 12, after=4)
    for place, section in enumerate(report.sections):
        _section(paper, f"{numeral(place + 1)}、{section.heading}", section)
    for said in report.closing:
        _line(paper, said, TEXT, 11, after=2)
    core = paper.core_properties
    core.title, core.author, core.last_modified_by, core.comments = report.title, "不落", "不落", ""
    core.created = core.modified = _FIXED
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def _page(paper: Paper) -> None:
    section = paper.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = (
        Cm(3.2),
        Cm(3),
        Cm(2.8),
        Cm(2.6),
    )
    style = paper.styles["Normal"]
    style.font.name, style.font.size = "Times New Roman", Pt(14)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), TEXT)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for text, field in (("— ", False), ("PAGE", True), (" —", False)):
        run = foot.add_run("" if field else text)
        _font(run, TITLE, 12)
        if field:
            _field(run, text)


def _field(run: Run, name: str) -> None:
    for kind, text in (("begin", ""), ("", name), ("end", "")):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._r.append(part)


def _font(run: Run, name: str, size: float, bold: bool = False) -> None:
    run.font.name, run.font.size, run.font.bold = "Times New Roman", Pt(size), bold
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)


def _line(
    paper: Paper, text: str, font: str, size: float, *, bold: bool = False, centre: bool = False, after: float = 4,
    indent: bool = False, keep: bool = False,
) -> Paragraph:  # fmt: skip
    line = paper.add_paragraph()
    shape = line.paragraph_format
    shape.space_before, shape.space_after = Pt(0), Pt(after)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.MULTIPLE, 1.3
    shape.keep_with_next = keep
    if indent:
        shape.first_line_indent = Pt(2 * size)
    if centre:
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _font(line.add_run(text), font, size, bold)
    return line


def _section(paper: Paper, heading: str, section: Section) -> None:
    _line(paper, heading, HEAD, 16, after=4, keep=True).paragraph_format.space_before = Pt(10)
    for said in section.sentences:
        _line(paper, said, TEXT, 14, indent=True)
    font = chinese_font()
    if section.picture is not None and section.picture.bars and font is not None:
        _line(paper, section.picture.title, HEAD, 11, centre=True, after=2, keep=True)
        paper.add_picture(io.BytesIO(draw(section.picture, font)), width=Cm(15))
        paper.paragraphs[-1].alignment = WD_ALIGN_PARAGRAPH.CENTER
    for table in section.tables:
        _table(paper, table)


def _table(paper: Paper, table: Table) -> None:
    _line(paper, table.title, HEAD, 11, centre=True, after=2, keep=True)
    made = paper.add_table(rows=1, cols=len(table.headings))
    made.style = "Table Grid"
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    first, rest = _widths(table)
    for place, column in enumerate(made.columns):
        column.width = Cm(first if place == 0 else rest)
    _row(made.rows[0].cells, table.headings, HEAD, bold=False)
    _repeat(made.rows[0]._tr)
    for place, row in enumerate(table.rows):
        _row(made.add_row().cells, row, TEXT, bold=table.total and place == len(table.rows) - 1)
    for line in made.rows:
        _whole(line._tr)
        for place, cell in enumerate(line.cells):
            cell.width = Cm(first if place == 0 else rest)
    paper.add_paragraph().paragraph_format.space_after = Pt(2)


def _widths(table: Table) -> tuple[float, float]:
    """The first column as wide as its words need, within a page of 15.6 cm."""
    columns = len(table.headings)
    longest = max(len(text) for text in [table.headings[0], *(row[0] for row in table.rows)])
    first = min(max(0.4 * longest + 0.6, 3.0), 15.6 - 1.7 * (columns - 1)) if columns > 1 else 15.6
    return first, (15.6 - first) / max(columns - 1, 1)


def _row(cells: Sequence[object], texts: Sequence[str], font: str, bold: bool) -> None:
    for place, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        line = cell.paragraphs[0]  # type: ignore[attr-defined]
        line.paragraph_format.space_before, line.paragraph_format.space_after = Pt(1.5), Pt(1.5)
        line.alignment = WD_ALIGN_PARAGRAPH.LEFT if place == 0 else WD_ALIGN_PARAGRAPH.RIGHT
        _font(line.add_run(text), font, 10.5, bold)


def _repeat(row: object) -> None:
    """The headings again on every page that the table reaches."""
    row.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # type: ignore[attr-defined]


def _whole(row: object) -> None:
    row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # type: ignore[attr-defined]
