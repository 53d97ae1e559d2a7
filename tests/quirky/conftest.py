from collections.abc import Callable

import pytest
from published_data import ROWS, released, write

from quirky.tasks import Task, get_task, task_class


@pytest.fixture(scope="session")
def sample_task(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Task]:
    """Makes any task; one that reads data gets a made-up file of its own."""
    folder = tmp_path_factory.mktemp("data")
    sums = [{"op1": i, "op2": 3, "result": i + 3} for i in range(300)]

    def make(name: str) -> Task:
        if not task_class(name).reads_data:
            return get_task(name)
        path = folder / f"{name}.parquet"
        if not path.exists():
            write(path, ROWS[name]() if name in ROWS else released(sums))
        return get_task(name, data=str(path))

    return make
