"""Options and lookups that several commands share."""
