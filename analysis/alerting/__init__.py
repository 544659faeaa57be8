"""Alerts: rules, what they see in a window, and what follows for each step and access."""
