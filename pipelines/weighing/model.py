"""The linkage model: how two records are compared (Splink), and what each agreement weighs (`data/linkage/persons.json`).

The weights were trained once on a made-up county whose truth is known (`python -m benchmarks.linkage train`) and lie in the
repository: a county's own data never train them, so the same files give the same weights everywhere.

Splink is slow to import (3 to 5 seconds) and is imported where it is needed only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MODEL = Path(__file__).resolve().parents[2] / "data" / "linkage" / "persons.json"
COMPARED = ("name", "birth", "sex", "place", "phone", "number")

# What each comparison tells apart, the best first: (SQL over both sides, the level's name). The last is everything else.
LEVELS: dict[str, tuple[tuple[str, str], ...]] = {
    "name": (
        ("name_l = name_r", "same"),
        ("pinyin_l = pinyin_r", "sounds the same"),
        ("sound_l = sound_r", "sounds alike"),
        (
            "character_1_l = character_1_r AND (character_2_l = character_2_r OR character_3_l = character_3_r)",
            "one character differs",
        ),
        ("ELSE", "another name"),
    ),
    "birth": (
        ("birth_l = birth_r", "same"),
        ("birth_key_l = birth_key_r", "day and month swapped"),
        ("damerau_levenshtein(birth_l, birth_r) <= 1", "one digit differs"),
        ("substr(birth_l, 1, 4) = substr(birth_r, 1, 4)", "same year"),
        ("ELSE", "another date"),
    ),
    "sex": (("sex_l = sex_r", "same"), ("ELSE", "another sex")),
    "place": (
        (
            "village_l = village_r AND (township_l IS NULL OR township_r IS NULL OR township_l = township_r)",
            "same village",
        ),
        ("township_l = township_r", "same township"),
        ("ELSE", "another place"),
    ),
    "phone": (
        ("phone_l = phone_r", "same"),
        ("damerau_levenshtein(phone_l, phone_r) <= 1", "one digit differs"),
        ("ELSE", "another phone"),
    ),
    "number": (
        ("damerau_levenshtein(number_l, number_r) <= 1", "one digit differs"),
        ("substr(number_l, 1, 15) = substr(number_r, 1, 15)", "same to the fifteenth digit"),
        ("damerau_levenshtein(number_l, number_r) <= 3", "a few digits differ"),
        ("ELSE", "another number"),
    ),
}
NULLS = {
    "place": "(village_l IS NULL OR village_r IS NULL) AND (township_l IS NULL OR township_r IS NULL)",
}
# Pairs worth weighing: a person whom none of these finds is not the one.
FOUND_BY = (
    ("sound", "birth_key"),
    ("sound", "village"),
    ("sound", "phone"),
    ("birth", "village"),
    ("birth", "phone"),
    ("number_start",),
)


def settings(link_type: str, chance: float = 1e-5, compared: tuple[str, ...] = COMPARED) -> Any:
    """Splink's settings without weights; `chance` that two records taken at random are one person."""
    import splink.comparison_level_library as levels
    from splink import SettingsCreator, block_on
    from splink.comparison_library import CustomComparison

    def comparison(word: str) -> Any:
        null = NULLS.get(word, f"{word}_l IS NULL OR {word}_r IS NULL")
        made: list[Any] = [levels.CustomLevel(null, "not known").configure(is_null_level=True)]
        for condition, label in LEVELS[word]:
            level: Any = levels.ElseLevel() if condition == "ELSE" else levels.CustomLevel(condition, label)
            if (word, label) == ("name", "same"):
                level = level.configure(tf_adjustment_column="name")
            made.append(level.configure(label_for_charts=label))
        return CustomComparison(made, output_column_name=word, comparison_description=word)

    return SettingsCreator(
        link_type=link_type,  # type: ignore[arg-type]
        comparisons=[comparison(word) for word in compared],
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in FOUND_BY],
        probability_two_random_records_match=chance,
        retain_matching_columns=True,  # without it Splink keeps no levels either
        retain_intermediate_calculation_columns=True,
    )


def trained(link_type: str, chance: float, path: Path = MODEL) -> dict[str, Any]:
    """The kept model for one kind of task: link_only (rows against persons) or dedupe_only (persons among themselves)."""
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {
        **kept,
        "retain_matching_columns": True,
        "link_type": link_type,
        "probability_two_random_records_match": chance,
    }
