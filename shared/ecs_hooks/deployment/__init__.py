"""What AWS knows about a deployment, fetched when it is first asked for."""
