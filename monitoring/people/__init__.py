"""Who may do what: accounts, sessions, roles and their places. Asked in the service layer on every call, from the store."""

from monitoring.people.callers import Acting, Caller, Denied, Person, SessionOver, acting, operator, reading
from monitoring.people.roles import ACTIONS, PAGES, ROLES, may

__all__ = [
    "ACTIONS",
    "PAGES",
    "ROLES",
    "Acting",
    "Caller",
    "Denied",
    "Person",
    "SessionOver",
    "acting",
    "may",
    "operator",
    "reading",
]
