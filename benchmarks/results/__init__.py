"""A run folder: its tables, its manifest and the summary that reports read."""
