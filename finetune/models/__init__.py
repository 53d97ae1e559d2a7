"""Finding and loading a model and its tokenizer, and its fingerprint."""
