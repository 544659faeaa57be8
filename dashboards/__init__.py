"""Shows stored findings; computes none."""
