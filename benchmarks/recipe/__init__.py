"""Recipes: the schema, its entries, loading, overrides and pinned revisions."""
