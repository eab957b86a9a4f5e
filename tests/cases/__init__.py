"""Whole households, one small story each, and what every rule must say of them: written from the contract by hand."""
