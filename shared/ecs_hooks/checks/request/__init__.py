"""Requests as a plan writes them, and what the HTTP checks have in common to send them."""
