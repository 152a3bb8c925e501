"""The plan of a hook: its fields, where it is stored, and its JSON Schema."""
