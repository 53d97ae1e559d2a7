"""A cell of a run: what it is, how it is computed, and the workers that compute it."""
