"""Rules as data: files to rules (`loading`), conditions checked (`expressions`, `trial`), sentences (`sentences`),
rules to SQL (`compiling`), the examples beside them (`cases`), and what the command line prints (`listing`)."""

from monitoring.rules.cases import CaseResult, run_cases
from monitoring.rules.compiling import CompiledRule, clause_for, compile_rules, tell_not_compared
from monitoring.rules.loading import load_policy, load_rules, load_shadows
from monitoring.rules.model import LEVELS, Case, Rule, Version
from monitoring.rules.trial import locked_connection

__all__ = [
    "LEVELS",
    "Case",
    "CaseResult",
    "CompiledRule",
    "Rule",
    "Version",
    "clause_for",
    "compile_rules",
    "load_policy",
    "load_rules",
    "load_shadows",
    "locked_connection",
    "run_cases",
    "tell_not_compared",
]
