"""Elementary functions and elementwise primitives, in vectors."""
