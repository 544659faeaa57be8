"""The requests of a page, sent as a browser would send them."""
