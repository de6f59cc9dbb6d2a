"""Long work that survives a kill: a queue with leases, workers, schedules."""
