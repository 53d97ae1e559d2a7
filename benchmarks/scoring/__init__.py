"""Fitting and scoring probes, controls, the gate, and figures computed from scores."""
