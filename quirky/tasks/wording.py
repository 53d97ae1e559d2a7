"""Templates of a claim, from the claim as a statement and as a question."""

from quirky.prompts import Template, Wording, standardized, wordings


def claim_templates(
    affirmative: Wording, negative: Wording | None = None
) -> tuple[tuple[Template, ...], Template]:
    """Return the templates and the standardized template of a claim.

    Args:
        affirmative: the claim as a statement and as a question, without their final punctuation.
        negative: the negation of the claim; None for a task that negates nothing.
    """
    standard = standardized(affirmative[0], negative and negative[0])
    return wordings(*affirmative, negative), standard
