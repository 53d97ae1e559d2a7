"""LoRA adapters: adding, auditing, describing, loading and merging them."""
