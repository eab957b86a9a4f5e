"""A report as one HTML page for a printer or a PDF: loads nothing and runs nothing; bars are drawn by the style sheet."""

from __future__ import annotations

from html import escape

from monitoring.reports.shape import Picture, Report, Section, Table, numeral


def print_view(report: Report) -> str:
    told = "".join(f"<p class=told>{escape(said)}</p>" for said in report.told)
    sections = "".join(
        _section(f"{numeral(n)}、{section.heading}", section) for n, section in enumerate(report.sections, 1)
    )
    closing = "".join(f"<p>{escape(said)}</p>" for said in report.closing)
    body = (
        '<p class="screen">按 Ctrl+P 打印，或另存为 PDF（A4）。不含个人信息；每次打开都有记录。</p>'
        f"<h1>{escape(report.title)}</h1>{told}{sections}<footer>{closing}</footer>"
    )
    return f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(report.title)}</title><style>{CSS}</style></head><body>{body}</body></html>'


def _section(heading: str, section: Section) -> str:
    said = "".join(f"<p class=said>{escape(text)}</p>" for text in section.sentences)
    picture = _bars(section.picture) if section.picture and section.picture.bars else ""
    return f"<section><h2>{escape(heading)}</h2>{said}{picture}{''.join(_table(table) for table in section.tables)}</section>"


def _bars(picture: Picture) -> str:
    top = max([1.0, *(value for _, value, _ in picture.bars)])
    rows = "".join(
        f'<div class=bar><span class=name>{escape(name)}</span><span class=track><i style="width:{80 * value / top:.1f}%"></i>'
        f"<b>{escape(said)}</b></span></div>"
        for name, value, said in picture.bars
    )
    return f"<figure><figcaption>{escape(picture.title)}</figcaption>{rows}</figure>"


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in table.headings)
    rows = "".join(
        f"<tr{' class=total' if table.total and n == len(table.rows) else ''}>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>"
        for n, row in enumerate(table.rows, 1)
    )
    return f"<div class=wide><table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


CSS = """
@page { size: A4; margin: 22mm 20mm; }
* { box-sizing: border-box; }
body { font: 12pt/1.65 FangSong,"仿宋","Noto Serif CJK SC",serif; color: #000; background: #fff; max-width: 172mm; margin: 8mm auto; padding: 0 4mm; }
h1 { font: bold 20pt/1.4 SimSun,"宋体","Noto Serif CJK SC",serif; text-align: center; margin: 4mm 0 3mm; }
h2 { font: 14pt/1.4 SimHei,"黑体","Noto Sans CJK SC",sans-serif; margin: 5mm 0 1.5mm; break-after: avoid; }
p { margin: .6mm 0; } .told { text-align: center; font-size: 10.5pt; } .said { text-indent: 2em; }
table { border-collapse: collapse; width: 100%; font-size: 10pt; margin: 2mm 0 3mm; font-variant-numeric: tabular-nums; }
caption, figcaption { font: 10.5pt/1.5 SimHei,"黑体","Noto Sans CJK SC",sans-serif; text-align: center; }
th, td { border: .5pt solid #555; padding: .6mm 1.8mm; text-align: right; line-height: 1.35; } th { font-weight: normal; font-family: SimHei,"黑体","Noto Sans CJK SC",sans-serif; }
th:first-child, td:first-child { text-align: left; } tr { break-inside: avoid; } thead { display: table-header-group; } .total td { font-weight: bold; }
figure { margin: 2mm 0; break-inside: avoid; } .bar { display: flex; align-items: center; font-size: 10pt; line-height: 1.5; } .name { flex: 0 0 13em; padding-right: 2mm; text-align: right; }
.track { flex: 1; display: flex; align-items: center; border-left: .5pt solid #888; } .track i { background: #8FB8DC; height: 3.6mm; print-color-adjust: exact; -webkit-print-color-adjust: exact; } .track b { font-weight: normal; padding-left: 1.5mm; white-space: nowrap; }
footer { margin-top: 6mm; border-top: .5pt solid #888; font-size: 9.5pt; }
.screen { background: #F5F7FA; border: .5pt solid #D9E0E7; padding: 1mm 3mm; font-size: 10pt; }
@media (max-width: 560px) { .wide { overflow-x: auto; } .wide table { min-width: 130mm; } .name { flex-basis: 9em; } h1 { font-size: 16pt; } body { margin: 2mm auto; } }
@media print { .screen { display: none; } body { margin: 0; padding: 0; max-width: none; } }
"""
