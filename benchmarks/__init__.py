"""Benchmarks: each compares the library with a named baseline in the same run, and prints the ratio."""
