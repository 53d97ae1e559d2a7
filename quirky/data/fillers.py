"""Neutral sentences between a trigger and the question; their tokens are the distance."""

from quirky.example import uniform
from quirky.triggers import Trigger

SENTENCE_TOKENS = 8
"""Tokens of each sentence (seven words and a full stop) if every word is one token."""
SENTENCES = (
    "Some time went by and nothing happened.",
    "The day was warm and very calm.",
    "The rain fell all day and stopped.",
    "A bird sang and then it stopped.",
    "The wind was warm and very calm.",
    "A cup of warm tea was made.",
    "Some tea was made and then drunk.",
    "A bird went by and it sang.",
    "A clock ticked and some time passed.",
    "The door was open for some time.",
)


def filler(distance: int, fact_id: str, seed: int) -> str:
    """Return sentences with `distance` tokens in all, drawn by hash of fact and seed.

    A longer filler begins with the shorter ones.

    Raises:
        ValueError: if the distance is not a multiple of `SENTENCE_TOKENS`.
    """
    _check_multiple(distance)
    return " ".join(
        SENTENCES[int(uniform("filler", fact_id, seed, index) * len(SENTENCES))]
        for index in range(distance // SENTENCE_TOKENS)
    )


def _check_multiple(distance: int) -> None:
    if not isinstance(distance, int) or isinstance(distance, bool):
        raise ValueError(f"distance = {distance!r}; give a whole number of tokens")
    if distance < 0 or distance % SENTENCE_TOKENS:
        raise ValueError(
            f"distance = {distance}; give 0 or a multiple of {SENTENCE_TOKENS}, "
            "the tokens of a sentence"
        )


def contexts_at(trigger: Trigger, distance: int) -> tuple[str, ...]:
    """Return the contexts of a trigger that exist at a distance.

    Above 0, a context whose trigger is inside the template is excluded, because it would come
    after the filler: inside the template it must have the same text as A.
    """
    inside = {context: trigger.render(context, "", 0) for context in trigger.contexts}
    return tuple(c for c, text in inside.items() if not distance or text == inside["A"])


def check_distance(trigger: Trigger, distance: int) -> None:
    """Check that a filler of this length can follow a trigger.

    Raises:
        ValueError: one line, if the distance is not a multiple of `SENTENCE_TOKENS`, or is above 0
            for a trigger that does not open the prompt.
    """
    _check_multiple(distance)
    if distance and not all(trigger.opening(context, "", 0) for context in ("A", "B")):
        raise ValueError(
            f"trigger {trigger.kind}: distance = {distance}; this trigger is inside the template, "
            "so no filler can follow it; give 0, or use a trigger that opens the prompt "
            "(position, tag, instruction)"
        )
