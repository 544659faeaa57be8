"""PostgreSQL by its own statistics: how busy, who waits, how long disks take, and which statements took the time."""
