"""How requests authenticate: credentials, signatures and tokens, and the secrets in them."""
