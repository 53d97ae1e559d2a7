from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from published_data import Rows, claims_of, write

from quirky.example import Claim


@pytest.fixture
def claims(tmp_path: Path) -> Callable[..., list[Claim]]:
    """Claims of a task on rows, written to a CSV file."""

    def make(name: str, rows: Rows, seed: int = 0, **parameters: Any) -> list[Claim]:
        return claims_of(name, write(tmp_path / f"{name}.csv", rows), seed, **parameters)

    return make


@pytest.fixture
def error_of(tmp_path: Path) -> Callable[..., str]:
    """What is said of rows that cannot be used; one line."""

    def make(name: str, rows: Rows, **parameters: Any) -> str:
        with pytest.raises(ValueError, match=r"csv") as caught:
            claims_of(name, write(tmp_path / "data.csv", rows), **parameters)
        assert len(str(caught.value).splitlines()) == 1
        return str(caught.value)

    return make
