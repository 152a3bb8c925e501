"""Scenarios: requests in order, with what the answers of some give to others."""
