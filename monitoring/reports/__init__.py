"""What leaves the office every month: the bulletin and the quarterly report, and the lists that township offices know.

`figures` asks, `composing` puts the sections together (`people_sections`, `account_sections`, with `wording` and `hiding`),
`word` and `printing` set it, `pictures` draws; `lists` compares two
published runs, `workbook` writes the sheets. `making` is what commands and pages call: permission, journal, one download.
"""
