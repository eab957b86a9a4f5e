"""Hiding persons in what is read: SQL expressions that stand in for a column while an export is masked.

A number keeps its last four places only: the county code is no secret and the birth date often stands beside it, so
that six more places would be no masking at all. For the same reason a birth date keeps its year only.
"""

from __future__ import annotations

import re

import polars as pl

from monitoring.correcting import WHOLE_LINE

STARS = "********"
# Any run of 15 places or more that may be an identity number (or an account); the last four stay.
_RUN = r"[0-9]{11,}([0-9]{3}[0-9Xx])"
# As departments write it: full-width digits, single blanks, hyphens or points between the digits.
_WRITTEN = r"(?:[0-9０-９][ 　\-.·']?){11,}((?:[0-9０-９][ 　\-.·']?){3}[0-9０-９XxＸｘ])"
_MOBILE = r"1[3-9][0-9]{5}([0-9]{4})"
_EVIDENCE_NAMES = ("name", "other_names", "official_name", "responsible")
_PERSON_SUBJECTS = "('household', 'person', 'record')"
_NAME_HEADING = re.compile(r"姓名|名字|户主$|监护人|走访人|责任人|服务人|申请人$|代理人|联系人$")
_NUMBER_HEADING = re.compile(r"证件号|身份证|公民身份|居民身份")
_CONTACT_HEADING = re.compile(r"电话|手机|联系方式|账号|账户|卡号")
_PLACE_HEADING = re.compile(r"住址|地址|坐落|居住地")
_BIRTH_HEADING = re.compile(r"出生|生日")


def number(column: str) -> str:
    """********1234; blank stays blank, and what is too short to be a number shows nothing."""
    return (
        f"CASE WHEN {column} IS NULL OR {column} = '' THEN {column} "
        f"WHEN length({column}) < 8 THEN '{STARS}' ELSE '{STARS}' || right({column}, 4) END"
    )


def name(column: str) -> str:
    """The first character and two stars."""
    return f"CASE WHEN {column} IS NULL OR {column} = '' THEN {column} ELSE left({column}, 1) || '**' END"


def subject_name(column: str) -> str:
    """As `name`, where the subject is a person or household; institutions, feeds and packs keep theirs."""
    return f"CASE WHEN subject IN {_PERSON_SUBJECTS} THEN {name(column)} ELSE {column} END"


def household(column: str) -> str:
    """The registry's number stays; `U-` and an identity number becomes `U-` and a short digest of it, always the same."""
    return f"CASE WHEN starts_with({column}, 'U-') THEN 'U-' || left(sha256('household ' || {column}), 10) ELSE {column} END"


def runs(text: str) -> str:
    """Identity numbers inside a text."""
    return f"regexp_replace({text}, '{_RUN}', '{STARS}\\1', 'g')"


def evidence(column: str = "evidence") -> str:
    """Numbers, names and the day of birth inside evidence (a flat JSON object)."""
    keys = "|".join(_EVIDENCE_NAMES)
    named = f"""regexp_replace({runs(column)}, '("(?:{keys})": *"[^"\\\\])(?:[^"\\\\]|\\\\.)*"', '\\1**"', 'g')"""
    return f"""regexp_replace({named}, '("birth_date": *"[0-9]{{4}})-[0-9]{{2}}-[0-9]{{2}}"', '\\1"', 'g')"""


def sentence(text: str = "message", kept_name: str = "name", beside: str = "evidence") -> str:
    """Numbers in a sentence, and each name that the row or its evidence names."""
    found = [f"[{kept_name}]"]
    found += [f"""string_split(coalesce({beside} ->> '{key}', ''), '、')""" for key in _EVIDENCE_NAMES]
    names = f"list_filter(list_concat({', '.join(found)}), lambda n: length(n) >= 2)"
    hidden = f"list_reduce({names}, lambda told, n: replace(told, n, left(n, 1) || '**'), {runs(text)})"
    return f"CASE WHEN subject IN {_PERSON_SUBJECTS} THEN {hidden} ELSE {runs(text)} END"


def undecided(text: str) -> str:
    """What tells a row apart of which nobody knows whose it is: a number as written, a birth date, a phone."""
    digits = f"regexp_replace({text}, '[0-9]{{7,}}([0-9]{{3}}[0-9Xx])', '{STARS}\\1', 'g')"
    return f"regexp_replace({digits}, '([0-9]{{4}})-[0-9]{{2}}-[0-9]{{2}}', '\\1', 'g')"


def record_key(column: str = "record_key") -> str:
    """Of a person's record nothing but numbers is hidden: day and item tell it from the person's other ones."""
    return f"CASE WHEN subject = 'record' AND person_id IS NULL THEN {undecided(sentence(column))} ELSE {sentence(column)} END"


def cell(heading: str) -> pl.Expr:
    """A cell of a department's own file, by what its heading says; what no heading tells is searched for numbers.

    A line that could not be split shows nothing: nobody can say where in it the name stands.
    """
    value = pl.col(heading)
    blank, long = value.str.len_chars() == 0, value.str.len_chars() >= 8
    if _NUMBER_HEADING.search(heading) or _CONTACT_HEADING.search(heading):
        hidden = pl.when(long).then(pl.lit(STARS) + value.str.tail(4)).otherwise(pl.lit(STARS))
    elif _NAME_HEADING.search(heading):
        hidden = value.str.head(1) + "**"
    elif heading == WHOLE_LINE or _PLACE_HEADING.search(heading):
        hidden = pl.lit("****")
    elif _BIRTH_HEADING.search(heading):
        hidden = value.str.head(4)
    else:
        hidden = value.str.replace_all(_WRITTEN, STARS + "${1}").str.replace_all(_MOBILE, STARS + "${1}")
    return pl.when(blank | value.is_null()).then(value).otherwise(hidden).alias(heading)


def typed(value: str) -> str:
    """A text that somebody typed (a note, a reason), in Python: identity numbers, accounts and phones in it."""
    return re.sub(_MOBILE, STARS + r"\1", re.sub(_WRITTEN, STARS + r"\1", value))
