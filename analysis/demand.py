"""How many people were at work: what rises because users came, and never because a step was slow.

Statements that run, connections in use and bytes moved are not among it: they pile up, or fall, when something is slow,
so what they explain may be the fault itself.
"""

DEMAND = ("session.count", "wifi.ap.clients")  # of the catalogue, all neutral: never evidence by themselves
