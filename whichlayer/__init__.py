"""The command line: the one place that wires all packages together."""
