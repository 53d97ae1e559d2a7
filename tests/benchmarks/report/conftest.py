from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture
def find_result() -> Callable[..., pd.Series]:
    """Returns the one row of a run's results that has these values, by default A->B AUROC."""

    def find(run_dir: Path, **values: str) -> pd.Series:
        results = pd.read_parquet(run_dir / "results.parquet")
        defaults = {"control": "", "against": "truth", "metric": "auroc", "transfer": "A->B"}
        for column, value in (defaults | values).items():
            results = results[results[column] == value]
        assert len(results) == 1
        return results.iloc[0]

    return find
