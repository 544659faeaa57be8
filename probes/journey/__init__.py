"""The journey file: its steps in each language, its references to secrets, and how a plan uses it."""
