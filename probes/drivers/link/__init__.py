"""The secure link to somebody else's service: each hop told apart."""
