"""How often gates are wrong: `comparison` and `golden_signals`, Kayenta's algorithm and fixed limits on the same traffic."""
