"""Times waits from inside the session as well: outside minus inside is the way to the screen and back.

Only durations are handed over, so no clocks need to agree. ``asking`` is the half of the driver, ``watch`` the
program in the session, ``exchange`` the folder between them.
"""
