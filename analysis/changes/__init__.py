"""What changed, when, and what a change did: impact, change points, and what they stand on."""
