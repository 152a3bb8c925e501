"""Filters of a query: what is made of the value that it finds, one step after the other, before it is judged or kept."""
