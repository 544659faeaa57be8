"""Programs that compete for something the application needs, each run and told by a fault of the lab."""
