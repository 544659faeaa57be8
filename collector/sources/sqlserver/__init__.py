"""SQL Server by its own views: what it waits for, how long its files take, its memory, which statements took time."""
