"""The load check: requests at a steady rate, their failures and latency percentiles."""
