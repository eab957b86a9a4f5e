"""The past again: had today's rules, and the model of each period, run then, how many months before its recorded entry would
a household have been seen?

    reading     what one period's file knew: who was helped, whom the rules and the model would have pointed to
    measuring   entries, months ahead, alerts and what came of them; who was never seen
    asking      what the page asks: the whole, in the viewer's places, and lists page by page

An entry is the label's (`monitoring.forecast.history`): onto dibao, tekun, the low-income list or at-risk monitoring, temporary
aid, or a case confirmed at the door, of a household that was in none. Only periods before the entry count, from the one on in
which nobody helped the household, at most BACK months.
"""

BACK = 12
# In the order in which an entry into several at once is told.
PROGRAMMES: dict[str, tuple[str, str]] = {
    "dibao": ("低保", "Dibao"),
    "tekun": ("特困供养", "Tekun"),
    "low_income": ("低收入家庭名单", "Low-income list"),
    "at_risk": ("防止返贫监测", "At-risk monitoring"),
    "temporary": ("临时救助", "Temporary aid"),
    "confirmed": ("入户确认困难", "Confirmed at the door"),
}
