"""Numerical building blocks shared by probe methods."""
