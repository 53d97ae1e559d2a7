"""One probe method a file."""
