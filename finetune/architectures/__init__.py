"""What differs between model families: where blocks are, what LoRA may adapt, which code runs."""
