"""Claims whose text gives neither the truth nor the quirk away."""
