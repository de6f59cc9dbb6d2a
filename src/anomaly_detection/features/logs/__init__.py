"""What can be measured of log lines, one by one or in batches, with the same bits."""
