"""Alerts as work: opened from signals, handed to people, decided by a person, and never closed by the program."""
