"""What if: a published county judged by other parameters or rules, in DuckDB, by the definitions that the run uses.

`ground` is what the run judged by, `scenario` what is changed, `snapshots` the facts that change with it, `judging` the
figures; `lists`, `near`, `packs` ask further, `service` is what pages and the command line call.
"""

from monitoring.simulating.ground import CannotSimulate, Ground, ground
from monitoring.simulating.judging import CATEGORIES, PROGRAMMES, Simulation, simulate
from monitoring.simulating.scenario import Scenario, parse_sets, read_scenario, scenario_text

__all__ = [
    "CATEGORIES",
    "PROGRAMMES",
    "CannotSimulate",
    "Ground",
    "Scenario",
    "Simulation",
    "ground",
    "parse_sets",
    "read_scenario",
    "scenario_text",
    "simulate",
]
