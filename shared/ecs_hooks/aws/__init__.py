"""AWS clients and calls, with what each failure means for a check."""
