"""Errors that fit on one line, whoever raised them."""

import difflib
from collections.abc import Iterable


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for an unknown name, with the nearest known name and all known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return ValueError(f"unknown {kind} {name!r}{hint} known: {', '.join(names)}")


def one_line(error: BaseException) -> str:
    """Return the type and the message of an error, with line breaks collapsed."""
    return " ".join(f"{type(error).__name__}: {error}".split())
