"""The agent: what it walks and when, what it holds until the collector has it, what it says of itself."""
