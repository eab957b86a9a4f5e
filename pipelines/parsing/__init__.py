"""The process in which a workbook is parsed: nothing but the standard library and the parser, so that it starts at once.

`child` the process itself · `precheck` what it refuses before the parser sees it. `pipelines.reading` starts it.
"""


class Unreadable(Exception):
    """The whole file cannot be used; the message says so in Chinese, with what would be right."""


# Between the cells of a column that the process hands over; no cell keeps it.
CELL_END = "\x1f"
