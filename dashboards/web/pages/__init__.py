"""One page, one file; each adds its routes to the router of ``site``."""
