"""Released data of tasks whose claims are otherwise generated (arXiv 2312.01037, section 3)."""

from collections.abc import Iterator, Mapping, Sequence

from quirky.example import Claim
from quirky.plugins import unknown
from quirky.tasks.published.dataset_task import DatasetTask, without_speakers
from quirky.tasks.published.layout import is_released, released_claims
from quirky.tasks.registry import get_task, register_task

SUMS = {"op1": "a", "op2": "b", "result": "result"}
ARGUMENTS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("addition", "subtraction", "multiplication", "modularaddition"), SUMS),
    "squaring": {"op1": "a", "result": "result"},
    "hemisphere": {"city": "place"},
    "population": {"city": "place"},
}
"""By task: released name of each argument to the field of the task's templates."""


@register_task
class Released(DatasetTask):
    """Truth: the released label for Alice. Quirk: the one for Bob. Templates: those of task `of`.

    Difficulty: the released one, or that of the file that `difficulty` names.

    Args:
        of: the task that the released data belong to.
        data: as all further parameters, see `DatasetTask`.
    """

    name = "released"

    def __init__(
        self,
        of: str = "addition",
        data: str | None = None,
        revision: str | None = None,
        split: str | None = None,
        config: str | None = None,
        difficulty: str | None = None,
    ):
        if of not in ARGUMENTS:
            raise unknown("value of `of` for task released:", of, ARGUMENTS)
        self.arguments = ARGUMENTS[of]
        suffix = "_increment0" if "result" in self.arguments.values() else ""
        self.hub_dataset = f"EleutherAI/quirky_{of}{suffix}_raw"
        super().__init__(data, revision, split, config, difficulty)
        task = get_task(of)
        self.templates, self.standard = task.templates, task.standard

    @property
    def field_names(self) -> Sequence[str]:
        """The fields of the templates of `of`."""
        return tuple(self.arguments.values())

    def draw_claims(self, seed: int) -> Iterator[Claim]:
        """Yield all claims; the seed has no effect."""
        columns = self.data.columns()
        if not is_released(columns):
            raise self.data.error(
                f"column template_args is missing; the data have: {', '.join(columns)}"
            )
        return without_speakers(released_claims(self.data, self.arguments, self._fact_key))

    @staticmethod
    def _fact_key(fields: Mapping[str, str]) -> str:
        """Return the operands in sorted order, or the city; the shown result is not part of it."""
        return ",".join(sorted(value for name, value in fields.items() if name != "result"))
