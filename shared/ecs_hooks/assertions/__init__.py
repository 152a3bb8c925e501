"""The language of expectations: queries, filters, predicates, JSONPath and JSON Schema."""
