"""Errors on one line, including those of other people's code."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for an unknown name, with the nearest known name and all known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return ValueError(f"unknown {kind} {name!r}{hint} known: {', '.join(names)}")


def one_line(error: BaseException) -> str:
    """Return the type and the message of an error, with line breaks collapsed."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def first_line(error: BaseException) -> str:
    """Return the first line of an error whose message may fill a page, such as a library's.

    A first line that ends in a colon is followed by the second. The type is named unless it says
    nothing that the message does not: that of an OSError, a ValueError or an ImportError.
    """
    first, *others = str(error).strip().splitlines() or [""]
    reason = " ".join([first, *others[:1]] if first.endswith(":") else [first])
    if not reason:
        return type(error).__name__
    if not isinstance(error, OSError | ValueError | ImportError):
        reason = f"{type(error).__name__}: {reason}"
    return " ".join(reason.split())


@contextmanager
def one_line_errors(what: str) -> Iterator[None]:
    """Turn any error that is raised inside into a ValueError of one line: `what`, and its reason.

    Raises:
        ValueError: with `what` and the first line of the error, which is its cause.
    """
    try:
        yield
    except Exception as error:  # libraries raise anything on files they do not expect
        raise ValueError(f"{what}: {first_line(error)}") from error
