"""Everything that can be checked or estimated before a run computes anything."""
