"""Numerical building blocks shared by probe methods; nothing here knows what a probe is."""
