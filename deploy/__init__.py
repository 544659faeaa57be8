"""How to run it, and the lab that breaks real things on purpose."""
