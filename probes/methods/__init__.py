"""The built-in probe methods, one per file; each class registers itself with `register_probe`."""
