"""Released data of tasks whose claims are otherwise made here (arXiv 2312.01037, section 3)."""

from collections.abc import Iterator, Mapping

from quirky.example import Claim
from quirky.registry import unknown
from quirky.tasks.base import TASKS, get_task
from quirky.tasks.published.from_data import FromData, unnamed
from quirky.tasks.published.layout import is_released, released_claims

SUMS = {"op1": "a", "op2": "b", "result": "result"}
ARGUMENTS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("addition", "subtraction", "multiplication", "modularaddition"), SUMS),
    "squaring": {"op1": "a", "result": "result"},
    "hemisphere": {"city": "place"},
    "population": {"city": "place"},
}
"""By task, its fields by the names of the released arguments."""


class Released(FromData):
    """Truth: the released label for Alice. Quirk: the one for Bob. The words are those of `of`.

    Difficulty: the released one, or that of a file that `difficulty` names.
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
            raise unknown("task to ask released data in the words of:", of, ARGUMENTS)
        made = "_increment0" if "result" in ARGUMENTS[of].values() else ""
        self.hub = f"EleutherAI/quirky_{of}{made}_raw"
        super().__init__(data, revision, split, config, difficulty)
        task = get_task(of)
        assert task.standard is not None  # all of them have one
        self.arguments = ARGUMENTS[of]
        self.fields = tuple(self.arguments.values())
        self.templates, self.standard = task.templates, task.standard

    def drawn(self, seed: int) -> Iterator[Claim]:
        """Yield all claims, whatever the seed."""
        columns = self.data.columns()
        if not is_released(columns):
            raise self.data.problem(
                f"column template_args is missing; there are: {', '.join(columns)}"
            )
        return unnamed(released_claims(self.data, self.arguments, self._fact))

    @staticmethod
    def _fact(fields: Mapping[str, str]) -> str:
        """Return what is known whatever the result that is shown, in any order."""
        return ",".join(sorted(value for name, value in fields.items() if name != "result"))


TASKS.builtin(Released.name, Released)
