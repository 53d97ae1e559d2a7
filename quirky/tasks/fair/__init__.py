"""Claims whose text does not give the truth away."""
