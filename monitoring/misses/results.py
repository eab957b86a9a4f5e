"""What can be found at the door of a sampled household, and the states of one that was drawn."""

from __future__ import annotations

from dataclasses import dataclass

DRAWN, RESERVE, DROPPED = "drawn", "reserve", "dropped"
NEEDY, FINE, GONE = "needy", "fine", "gone"


@dataclass(frozen=True)
class Result:
    """`answers`: it says whether the household is in difficulty, so that no further visit is needed. One that is gone is no
    household in difficulty that was missed; whoever was not met, refuses or leaves it unclear stays unknown."""

    zh: str
    en: str
    answers: bool


RESULTS: dict[str, Result] = {
    NEEDY: Result("有困难，此前没有被发现", "In difficulty, not seen before", True),
    FINE: Result("没有困难", "No difficulty", True),
    "unclear": Result("见到了，但说不清", "Met, but unclear", False),
    "unreached": Result("没有见到人", "Nobody met", False),
    "refused": Result("不愿接受走访", "Refuses the visit", False),
    GONE: Result("户已不在（迁出或全户死亡）", "Household gone (moved away or all dead)", True),
}
FINAL = tuple(code for code, result in RESULTS.items() if result.answers)
MET = (NEEDY, FINE, "unclear")  # somebody of the household was spoken to
