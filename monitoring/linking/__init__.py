"""The review of links: what a person decides about rows without a person, persons with two numbers, households listed twice.

The run links what the contract calls certain and sets the rest aside (`link_review`). `buluo link` weighs (`weights` reads
what it wrote); `deciding` keeps who decided what, when, why and on what they saw, in the case store; every later run is told
(`standing`) and takes it as given. A decision can be taken back; the next run is then as if it had never been made.
"""
