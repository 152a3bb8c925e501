"""Facts about a deployment, each fetched from AWS on first use."""
