"""From prompts and answers to tokens, as plain text or through a chat template."""
