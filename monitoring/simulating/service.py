"""Scenarios that are kept: HOME/scenarios/NAME.toml, written by analysts and leaders, journalled, and asked again later."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from monitoring.language import Words
from monitoring.people.callers import Caller, acting, reading
from monitoring.placing import placing
from monitoring.simulating.ground import CannotSimulate
from monitoring.simulating.scenario import LONGEST, NAME, Scenario, read_scenario, scenario_text
from monitoring.store import Store

FOLDER = "scenarios"
SHORTEST_WHY = 4


def scenario_files(home: Path) -> dict[str, Path]:
    """The kept scenarios by name."""
    return {path.stem: path for path in sorted((home / FOLDER).glob("*.toml"))}


def kept(store: Store, caller: Caller, at: datetime) -> dict[str, Scenario | str]:
    """The kept scenarios by name; one that cannot be read is told in words. Raises Denied or SessionOver."""
    with reading(store, caller, "page.whatif", at):
        found: dict[str, Scenario | str] = {}
        for name, path in scenario_files(store.home).items():
            try:
                found[name] = read_scenario(path)
            except CannotSimulate as refusal:
                found[name] = str(refusal)
        return found


def keep(store: Store, caller: Caller, name: str, scenario: Scenario, at: datetime) -> Path:
    """Writes the scenario under its name (in place of an older one). Raises CannotSimulate, Denied or SessionOver."""
    with placing(store.home) as files, acting(store, caller, "scenario.save", at) as act:
        name, wrong = name.strip(), []
        if not NAME.fullmatch(name):
            wrong.append("名称写 1 至 40 个字，只用文字、数字、横线和下划线")
        if not scenario.title.strip() or len(scenario.title) > LONGEST:
            wrong.append(Words("请写标题（不超过 {longest} 字）", longest=LONGEST))
        if len(scenario.why.strip()) < SHORTEST_WHY or len(scenario.why) > LONGEST:
            wrong.append(
                Words("请写明为什么测算（{shortest} 至 {longest} 字）", shortest=SHORTEST_WHY, longest=LONGEST)
            )
        if not scenario.told():
            wrong.append("方案里什么都没有改，不用保存")
        if wrong:
            raise CannotSimulate(wrong)
        path = store.home / FOLDER / f"{name}.toml"
        files.put(path, scenario_text(scenario))
        act.journal(
            "scenario.save", f"scenario:{name}", title=scenario.title, why=scenario.why, changes=scenario.told()
        )
        return path
