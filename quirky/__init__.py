"""What is asked: facts, quirks, prompts, contexts."""
