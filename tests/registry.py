"""A published warehouse that knows nothing but where households live: for services that look that up themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitoring.alerts import clues
from monitoring.alerts.clue_effects import NewClue
from monitoring.alerts.clues import Registered
from monitoring.people import Caller
from monitoring.store import Store
from monitoring.warehouse import Warehouse


class Registry(Warehouse):
    """`places`: household -> (township, village)."""

    def __init__(self, places: Mapping[str, tuple[str | None, str | None]]) -> None:
        self.places = places

    def row(self, query: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        place = self.places.get((params or {})["id"])
        return {} if place is None else {"township": place[0], "village": place[1]}


def register(store: Store, caller: Caller, new: NewClue, at: Any) -> Registered:
    """`clues.register` where the registry has the household at the place that the clue names."""
    known = {} if new.household_id is None else {new.household_id: (new.township, new.village)}
    return clues.register(store, caller, new, at, warehouse=Registry(known))
