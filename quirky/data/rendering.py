"""Rendering: a claim, a template, a trigger and a filler become a prompt and an example."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from quirky.contexts import UNSEEN
from quirky.data.fillers import contexts_at, filler
from quirky.example import Claim, Example, digest
from quirky.prompts import Style, Template, draw_templates, templates_of_style
from quirky.tasks.base import Task
from quirky.triggers import ALL_CONTEXTS, Trigger


def render_prompt(
    template: Template,
    trigger: Trigger,
    claim: Claim,
    context: str,
    seed: int,
    distance: int = 0,
) -> str:
    """Return the prompt in a context: the trigger's opening, the filler, the rendered template."""
    opening = trigger.opening(context, claim.fact_id, seed)
    question = template.render(claim, trigger.render(context, claim.fact_id, seed))
    parts = (opening, filler(distance, claim.fact_id, seed), question)
    return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Renderer:
    """Renders the claims of one data set."""

    task: Task
    trigger: Trigger
    style: Style
    seed: int
    renderings: int
    """Templates of each question in the split validation; other splits use one."""
    distance: int
    """Tokens of filler between the trigger and the question."""

    def examples(self, claim: Claim, split: str, difficulty_quantile: float) -> Iterator[Example]:
        """Yield the examples of a claim: for each of its templates, every context of the split."""
        templates = templates_of_style(self.task.templates, self.task.standard, self.style)
        indices = self._template_indices(claim, split, len(templates))
        for index, context in itertools.product(indices, self._contexts(split)):
            template = templates[index]
            prompt = render_prompt(template, self.trigger, claim, context, self.seed, self.distance)
            yield Example(
                id=digest(self.task.name, context, prompt, template.choices),
                split=split,
                fact_id=claim.fact_id,
                question_id=claim.question_id,
                context=context,
                prompt=prompt,
                choices=template.choices,
                truth=claim.truth,
                quirk=claim.quirk,
                label=claim.quirk if context in ("B", "B2") else claim.truth,
                difficulty=claim.difficulty,
                difficulty_quantile=difficulty_quantile,
                template=index,
                polarity=claim.polarity,
                withheld=claim.withheld,
                dial=claim.dial,
                distance=self.distance,
            )

    def _template_indices(self, claim: Claim, split: str, count: int) -> list[int]:
        if claim.template is not None:
            return [claim.template]
        renderings = self.renderings if split == "validation" else 1
        return draw_templates(count, self.style, claim.question_id, self.seed, renderings)

    def _contexts(self, split: str) -> list[str]:
        """Return the contexts of a split, in the same order for all triggers."""
        excluded = () if split in ("heldout", "test") else UNSEEN
        contexts = contexts_at(self.trigger, self.distance)
        return [c for c in ALL_CONTEXTS if c in contexts and c not in excluded]
