"""Where a run was walked from: the access, the presentation, the radio, and whether they stayed."""
