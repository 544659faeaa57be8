"""From one window of facts to verdicts."""
