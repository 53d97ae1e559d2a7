"""The table of a run: one row a figure."""

from pathlib import Path

import pandas as pd

COLUMNS = (
    *("cell", "model", "task", "trigger", "distance", "prompts", "seed", "variant"),
    *("probe", "control", "site", "layer_rule", "layer", "transfer", "against", "metric", "subset"),
    *("value", "low", "high", "n", "dial"),
)


def read_results(path: Path) -> pd.DataFrame:
    """Read the table of a run.

    Raises:
        ValueError: if a column is missing, as in tables that earlier versions wrote.
    """
    table = pd.read_parquet(path)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(missing)}: an earlier version wrote it; run the "
            "recipe again with `quirky run`, which computes the cells anew"
        )
    return table
