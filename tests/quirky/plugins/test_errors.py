"""Errors of libraries, on one line."""

import pytest

from quirky.plugins import first_line, one_line_errors


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no such model\nand a page of advice"), "no such model"),
        (ValueError("these are missing:\n  weights\n  config"), "these are missing: weights"),
        (OSError("401  Client Error"), "401 Client Error"),
        (RuntimeError("out of memory\nat 0x1"), "RuntimeError: out of memory"),
        (KeyError(), "KeyError"),
        (ValueError("  "), "ValueError"),
    ],
)
def test_the_first_line_is_the_reason(error: Exception, line: str) -> None:
    assert first_line(error) == line


def test_any_error_becomes_a_value_error_of_one_line() -> None:
    cause = RuntimeError("out of memory\nat 0x1")
    told = r"^model 'x': RuntimeError: out of memory$"
    with pytest.raises(ValueError, match=told) as caught, one_line_errors("model 'x'"):
        raise cause
    assert caught.value.__cause__ is cause


def test_without_an_error_nothing_happens() -> None:
    with one_line_errors("model 'x'"):
        value = 1
    assert value == 1
