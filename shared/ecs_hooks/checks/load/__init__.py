"""Load on green: when each request is due, who sends it, and what has come of all of them."""
