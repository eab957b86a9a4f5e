"""The policy table: which role may do which action, and which page holds which actions. Nothing else decides it.

Three administrators share what one alone should not hold (等保 8.1.4.2: 三员分立): the administrator keeps accounts, the
security officer approves roles and places, the auditor reads the journal. None of them sees personal data.
"""

from __future__ import annotations

from dataclasses import dataclass

LEADER, COUNTY, TOWNSHIP, VILLAGE = "leader", "county_staff", "township_staff", "village_staff"
ANALYST, AUDITOR, ADMINISTRATOR, SECURITY = "analyst", "auditor", "administrator", "security_officer"


@dataclass(frozen=True)
class Role:
    """`reach` is what an account of the role must name: nothing (county), a township, a village; or "none": no places at all."""

    zh: str
    en: str
    reach: str
    second_factor: bool = False  # where the home asks for second factors


ROLES: dict[str, Role] = {
    LEADER: Role("领导", "Leader", "county"),
    COUNTY: Role("县级工作人员", "County staff", "county", second_factor=True),
    TOWNSHIP: Role("乡镇工作人员", "Township staff", "township"),
    VILLAGE: Role("村级工作人员", "Village staff", "village"),
    ANALYST: Role("分析员", "Analyst", "county", second_factor=True),
    AUDITOR: Role("审计管理员", "Auditor", "none", second_factor=True),
    ADMINISTRATOR: Role("系统管理员", "Administrator", "none", second_factor=True),
    SECURITY: Role("安全管理员", "Security officer", "none", second_factor=True),
}

_STAFF = frozenset({COUNTY, TOWNSHIP, VILLAGE})
_OFFICE = frozenset({COUNTY, TOWNSHIP})
_READERS = _STAFF | {LEADER, ANALYST}

# Action -> the roles that may do it. Where the object has a place, the account's places must hold it as well.
ACTIONS: dict[str, frozenset[str]] = {
    # pages as such
    "page.overview": _READERS,
    "page.alerts": _STAFF | {LEADER},
    "page.household": _READERS,
    "page.coverage": _READERS,
    "page.exits": _READERS,
    "page.checklist": _READERS,
    "page.data": _OFFICE | {ANALYST},
    "page.reports": _OFFICE | {LEADER, ANALYST},
    "page.model": frozenset({LEADER, COUNTY, ANALYST}),
    "page.misses": frozenset({LEADER, COUNTY, ANALYST}),
    "page.economics": frozenset({LEADER, COUNTY, ANALYST}),
    "page.lists": frozenset({COUNTY, ANALYST, LEADER}),
    "page.clues": _STAFF,
    "page.whatif": frozenset({LEADER, ANALYST}),
    "page.rules": frozenset({LEADER, ANALYST}),
    "page.links": frozenset({COUNTY}),
    "page.admin": frozenset({ADMINISTRATOR, SECURITY, AUDITOR}),
    # households
    "household.view": _READERS,
    "household.unmask": _STAFF,
    # alerts
    "alert.view": _READERS,
    "alert.claim": _STAFF,
    "alert.assign": _OFFICE,
    "alert.hand_back": _STAFF,
    "alert.visit": _STAFF,
    "alert.comment": _STAFF | {LEADER},
    "alert.decide": _OFFICE,
    "alert.measure": _OFFICE,
    "alert.refer": _OFFICE,
    "alert.answer": _OFFICE,
    "alert.confer": _OFFICE,
    "alert.return": _OFFICE,
    "alert.close": _OFFICE,
    "sheet.print": _STAFF,
    # the sample of households that nothing flagged
    "sample.visit": _STAFF,
    "sample.dial": frozenset({COUNTY}),
    # clues
    "clue.register": _STAFF,
    "clue.conclude": _OFFICE,
    # links: two sides may lie in two places
    "link.decide": frozenset({COUNTY}),
    # the checklist: each level signs its own; a township's staff may sign for a village
    "checklist.sign_village": frozenset({TOWNSHIP, VILLAGE}),
    "checklist.sign_township": frozenset({TOWNSHIP}),
    "checklist.sign_county": frozenset({LEADER, COUNTY}),
    # policy: scenarios that are kept, rules that are tried and changed
    "scenario.save": frozenset({LEADER, ANALYST}),
    "rule.change": frozenset({ANALYST}),
    # risk lists that are kept
    "list.keep": frozenset({COUNTY, ANALYST}),
    # exports
    "export.masked": _OFFICE | {ANALYST, LEADER},
    "export.full": frozenset({COUNTY, ANALYST}),
    # the data desk: how files are read, what comes in, runs
    "feed.map": frozenset({COUNTY}),
    "file.upload": frozenset({COUNTY}),
    "run.begin": frozenset({COUNTY}),
    # accounts and the journal
    "account.list": frozenset({ADMINISTRATOR, SECURITY}),
    "account.keep": frozenset({ADMINISTRATOR}),
    "account.approve": frozenset({SECURITY}),
    "setting.change": frozenset({ADMINISTRATOR}),
    "journal.read": frozenset({AUDITOR}),
    # everybody's own
    "self.password": frozenset(ROLES),
    "self.log_out": frozenset(ROLES),
}

# Page -> the actions that can be taken on it. A page that is not here is not served (a test builds its matrix from this).
PAGES: dict[str, tuple[str, ...]] = {
    "overview": ("page.overview", "export.masked"),
    "alerts": (
        "page.alerts", "alert.view", "alert.claim", "alert.assign", "alert.hand_back", "alert.visit", "alert.comment",
        "alert.decide", "alert.measure", "alert.refer", "alert.answer", "alert.confer", "alert.return", "alert.close",
        "sheet.print", "sample.visit", "export.masked", "export.full",
    ),
    "household": ("page.household", "household.view", "household.unmask", "alert.comment"),
    "coverage": ("page.coverage", "export.masked", "export.full"),
    "exits": ("page.exits", "export.masked", "export.full"),
    "checklist": (
        "page.checklist", "checklist.sign_village", "checklist.sign_township", "checklist.sign_county", "export.masked",
        "export.full",
    ),
    "lists": ("page.lists", "list.keep", "export.masked", "export.full"),
    "data": ("page.data", "feed.map", "file.upload", "run.begin", "export.masked", "export.full"),
    "reports": ("page.reports", "alert.view", "export.masked", "export.full"),
    "model": ("page.model",),
    "misses": ("page.misses", "sample.dial"),
    "economics": ("page.economics", "rule.change"),
    "clues": ("page.clues", "clue.register", "clue.conclude"),
    "whatif": ("page.whatif", "scenario.save"),
    "rules": ("page.rules", "rule.change"),
    "links": ("page.links", "link.decide", "household.unmask"),
    "admin": ("page.admin", "account.list", "account.keep", "account.approve", "setting.change", "journal.read"),
}  # fmt: skip


def may(role: str, action: str) -> bool:
    """Whether a role may do an action at all; an unknown one may nothing. Raises KeyError for an action that is not in the table."""
    return role in ACTIONS[action]
