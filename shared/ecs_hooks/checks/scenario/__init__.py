"""The scenario check: requests in order, with values of responses in later requests."""
