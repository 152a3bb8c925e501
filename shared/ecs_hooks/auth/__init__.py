"""Who requests come from: credentials, the secrets in them, and what keeps both to themselves."""
