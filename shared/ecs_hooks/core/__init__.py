"""Events, state, outcomes, deadlines and redaction: what everything else is made of. No I/O."""
