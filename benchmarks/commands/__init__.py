"""What the commands beside `quirky run` do."""
