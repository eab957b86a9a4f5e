"""What two records of a person are compared by: the words of both, and how a name sounds.

A name is read aloud once, however many records have it (pypinyin takes about 90 µs a name). `sound` also forgets what
dialects and hurried typists confuse: zh/z, ch/c, sh/s, n/l at the front, -ng/-n at the end, f/h.
"""

from __future__ import annotations

import polars as pl

WORDS = ("name", "birth_date", "sex", "phone", "township", "village", "number")
CONFUSED = (
    (r"\bzh", "z"), (r"\bch", "c"), (r"\bsh", "s"), (r"\bn", "l"), (r"\bf", "h"), (r"ng\b", "n"),
)  # fmt: skip


def spelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds to records (a unique_id and WORDS) the columns that the model compares and finds pairs by; sorted by unique_id."""
    names = frame.select(pl.col("name").drop_nulls().unique().sort())
    sounds = sounds_of(names.get_column("name"))
    month, day = pl.col("birth").str.slice(4, 2), pl.col("birth").str.slice(6, 2)
    digits = pl.col("number").str.replace_all(r"[^0-9Xx]", "").str.to_uppercase()
    written = pl.col("number").str.contains(r"[eE.]").fill_null(True).not_()  # 5.10E+17 says nothing but the area
    return (
        frame.sort("unique_id")
        .join(sounds, on="name", how="left", maintain_order="left")
        .with_columns(
            birth=pl.col("birth_date").dt.strftime("%Y%m%d"),
            number=pl.when(written & digits.str.len_chars().is_between(14, 19)).then(digits),
        )
        .with_columns(
            birth_key=pl.col("birth").str.head(4) + pl.min_horizontal(month, day) + pl.max_horizontal(month, day),
            number_start=pl.col("number").str.head(14),
            character_1=pl.col("name").str.slice(0, 1),
            character_2=pl.col("name").str.slice(1, 1),
            character_3=pl.when(pl.col("name").str.len_chars() > 2).then(pl.col("name").str.slice(2, 1)),
        )
        .drop("birth_date")
    )


def sounds_of(names: pl.Series) -> pl.DataFrame:
    """name, pinyin, sound of names that occur once each. What is no Chinese character stays as it is."""
    from pypinyin import Style, lazy_pinyin

    read = pl.Series("pinyin", [" ".join(lazy_pinyin(name, style=Style.NORMAL)) for name in names], dtype=pl.String)
    sound = pl.col("pinyin")
    for pattern, plain in CONFUSED:
        sound = sound.str.replace_all(pattern, plain)
    return pl.DataFrame({"name": names, "pinyin": read}, schema_overrides={"name": pl.String}).with_columns(sound=sound)
