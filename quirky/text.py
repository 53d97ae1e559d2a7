"""Text on one line: of data that may contain line breaks, and of values in error messages."""

MAX_REPR = 60
"""Characters of a value that an error message repeats."""


def collapse_whitespace(text: str) -> str:
    """Return a text with every run of white space replaced by one space."""
    return " ".join(text.split())


def short_repr(value: object) -> str:
    """Return the `repr` of a value, cut after `MAX_REPR` characters."""
    text = repr(value)
    return text if len(text) <= MAX_REPR else f"{text[:MAX_REPR]}..."
