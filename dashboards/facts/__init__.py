"""Facts read from the store for showing: counted and grouped, never concluded from."""
