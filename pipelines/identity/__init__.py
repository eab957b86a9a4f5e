"""What a value means: vectorised normalising of the cells of department files, shared by all steps.

`text` blanks, names, places, phones · `numbers` identity numbers and the person's key ·
`values` dates, amounts, yes/no, codes.
Everything is Polars expressions; nothing here knows a feed, a file or the clock. Raw cells go in as strings; what
can't be understood comes out as null, and the caller tells blank from not understood by `text` (null = blank).
"""

from pipelines.identity.numbers import (
    STATES,
    birth_date_of,
    id_text,
    parse_numbers,
    person_id_of,
    plain_number,
    sex_of,
)
from pipelines.identity.text import (
    filled,
    free_text,
    key,
    means_nothing,
    name,
    phone,
    place,
    says_nothing,
)
from pipelines.identity.values import (
    AMOUNT,
    OPEN_END,
    date_text,
    parse_amounts,
    parse_counts,
    parse_dates,
    parse_months,
    parse_years,
    plain_date,
    plain_words,
    several,
    spellings,
    yes_no_words,
)

__all__ = [
    "AMOUNT",
    "OPEN_END",
    "STATES",
    "birth_date_of",
    "date_text",
    "filled",
    "free_text",
    "id_text",
    "key",
    "means_nothing",
    "name",
    "parse_amounts",
    "parse_counts",
    "parse_dates",
    "parse_months",
    "parse_numbers",
    "parse_years",
    "person_id_of",
    "phone",
    "place",
    "plain_date",
    "plain_number",
    "plain_words",
    "says_nothing",
    "several",
    "sex_of",
    "spellings",
    "yes_no_words",
]
