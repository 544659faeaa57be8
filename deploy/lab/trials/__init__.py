"""Scenarios made for real and judged: what is done when, what is said of it, what it truly cost, who was right."""
