"""Sessions held open: how a user keeps one, what ended it, and whether work was lost."""
