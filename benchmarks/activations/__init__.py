"""Stored activations of a cell: residual stream, tokens, recurrent states."""
