"""Text as people type it -> text that compares: blanks, full-width forms, invisible marks, names, places, phones.

Every function takes and returns a Polars expression over strings; null stays null and a value that only
*means* "nothing here" becomes null. Nothing here knows a feed.
"""

import polars as pl

# Marks that print nothing: format and control characters (soft hyphen, zero-width, bidi, BOM), variation selectors,
# Hangul fillers. Blanks proper (\s: also the ideographic and the no-break space) are handled apart.
_INVISIBLE = r"[\p{Cf}\x00-\x08\x0E-\x1F\x7F-\x84\x86-\x9F\u{FE00}-\u{FE0F}\u{115F}\u{1160}\u{3164}\u{34F}]"
_BLANK_OR_INVISIBLE = r"[\s" + _INVISIBLE[1:]
_FULL_WIDTH = [chr(c + 0xFEE0) for c in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))]
_HALF_WIDTH = [chr(ord(c) - 0xFEE0) for c in _FULL_WIDTH]
_DOTS = ["•", ".", "‧", "・", "･", "∙", "⋅", "⸱", "﹒", "●"]
# What stands in a cell where nothing is known, after `key`. "无" is here too: a code list or a yes/no that knows
# the word is asked first.
_NOTHING = (
    "无", "空", "(空)", "暂无", "未知", "不详", "未填", "未填写", "无数据", "NULL", "(NULL)", "<NULL>", "NONE",
    "NAN", "NAT", "NA", "N/A", "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!",
    "#GETTING_DATA", "#SPILL!", "#CALC!",
)  # fmt: skip
_ONLY_MARKS = r"^(?:[\p{Pd}_/\\.。*~=、,;:'\"]|\\N)*$"


def key(text: pl.Expr) -> pl.Expr:
    """The form in which short values are compared: NFKC, no blanks or invisible marks, no leading apostrophe, upper
    case, `3.0` of a numeric cell as `3`."""
    return (
        text.str.normalize("NFKC")
        .str.replace_all(_BLANK_OR_INVISIBLE, "")
        .str.strip_chars_start("'")
        .str.to_uppercase()
        .str.replace(r"^([0-9]+)\.0+$", "$1")
    )


def means_nothing(text: pl.Expr) -> pl.Expr:
    """True where a `key` says "empty" in one of the ways people and programs write it (also where it is null)."""
    return (text.is_in(_NOTHING) | text.str.contains(_ONLY_MARKS)).fill_null(True)


def says_nothing(raw: pl.Expr) -> pl.Expr:
    """`means_nothing` for cells that need no cleaning and hold a digit or a Chinese character."""
    return raw.is_in(_NOTHING)


def filled(text: pl.Expr) -> pl.Expr:
    """The `key`, null where it means nothing."""
    return pl.when(~means_nothing(text)).then(text)


def free_text(raw: pl.Expr) -> pl.Expr:
    """Running text: outer blanks and invisible marks go, inner blanks shrink to one and vanish beside a Chinese
    character; digits and letters half-width. Chinese punctuation stays as written: people read these."""
    cleaned = (
        raw.str.replace_many(_FULL_WIDTH, _HALF_WIDTH)
        .str.replace_all(_INVISIBLE, "")
        .str.replace_all(r"\s+", " ")
        .str.replace_all(r" ?(\p{Han}) ?", "$1")
        .str.strip_chars(" ")
        .str.strip_chars_start("'")
        .str.replace(r"^([0-9]+)\.0+$", "$1")
    )
    return pl.when(~means_nothing(key(raw))).then(cleaned)


def name(raw: pl.Expr) -> pl.Expr:
    """A person's name: NFKC, no blanks inside, every spelling of the dot in minority names as `·`. Case stays."""
    cleaned = (
        raw.str.normalize("NFKC")
        .str.replace_all(_BLANK_OR_INVISIBLE, "")
        .str.replace_many(_DOTS, ["·"])
        .str.strip_chars("'`\"·")
    )
    return pl.when(~means_nothing(key(raw)) & (cleaned != "")).then(cleaned)


def place(raw: pl.Expr) -> pl.Expr:
    """A township or village: NFKC, no blanks, brackets full-width, so that two spellings of one place are one place."""
    cleaned = (
        raw.str.normalize("NFKC")
        .str.replace_all(_BLANK_OR_INVISIBLE, "")
        .str.strip_chars_start("'")
        .str.replace_many(["(", ")"], ["（", "）"])
    )
    return pl.when(~means_nothing(key(raw))).then(cleaned)


def phone(raw: pl.Expr) -> pl.Expr:
    """The first number of a cell as digits, else its first mobile. Null where there are not 7 to 12 digits (a masked
    number, or one that a spreadsheet turned into 1.38E+10)."""
    first = key(raw).str.strip_chars("、,;:/|或和").str.replace(r"[、,;:/|或和].*$", "")
    digits = first.str.replace_all(r"[-()—–]", "").str.replace(r"^(?:\+|00)?86(1[0-9]{10})", "$1")
    mobile = digits.str.extract(r"^(1[3-9][0-9]{9})(?:1[3-9][0-9]{9})*$")  # blanks between two numbers are gone by now
    any_mobile = raw.str.normalize("NFKC").str.extract(r"(?:^|\D)(1[3-9][0-9]{9})(?:\D|$)")
    return pl.coalesce(mobile, digits.str.extract(r"^([0-9]{7,12})$"), any_mobile)
