"""Proof on tiny random models that every supported family is read exactly."""
