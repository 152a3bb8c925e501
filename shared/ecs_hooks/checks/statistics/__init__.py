"""Statistics for judging green: pure functions over numbers, in Python alone, so that the layer stays lean."""
