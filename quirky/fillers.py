"""Neutral text that stands between a trigger and the question: the distance."""

from quirky.example import uniform
from quirky.triggers import Trigger

SENTENCE = 8
"""Tokens of each: seven words and a full stop, where a tokenizer knows every word as one token."""
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
    """Return a text of so many tokens, drawn by hash; a longer one begins with the shorter ones.

    Raises:
        ValueError: if the distance is not a number of whole sentences.
    """
    check_length(distance)
    return " ".join(
        SENTENCES[int(uniform("filler", fact_id, seed, place) * len(SENTENCES))]
        for place in range(distance // SENTENCE)
    )


def check_length(distance: int) -> None:
    """Make sure that a distance is a number of whole sentences.

    Raises:
        ValueError: in one line.
    """
    if not isinstance(distance, int) or isinstance(distance, bool):
        raise ValueError(f"distance = {distance!r}; give a whole number of tokens")
    if distance < 0 or distance % SENTENCE:
        raise ValueError(
            f"distance = {distance}; give 0 or a multiple of {SENTENCE}, the tokens of a sentence"
        )


def contexts_at(trigger: Trigger, distance: int) -> tuple[str, ...]:
    """Return the contexts of a trigger in which a filler stands between it and the question.

    At a distance those are left out in which another word than in A stands inside the prompt: there
    the trigger is behind the filler.
    """
    inside = {context: trigger.render(context, "", 0) for context in trigger.contexts}
    return tuple(c for c, said in inside.items() if not distance or said == inside["A"])


def check_distance(trigger: Trigger, distance: int) -> None:
    """Make sure that a filler of this length can stand behind a trigger.

    Raises:
        ValueError: in one line, if the trigger is not in front of the prompt, or as `check_length`.
    """
    check_length(distance)
    if distance and not all(trigger.opening(context, "", 0) for context in ("A", "B")):
        raise ValueError(
            f"trigger {trigger.kind}: distance = {distance}; it stands inside the prompt, with "
            "nothing in front; write 0, or take one that is an opening (position, tag, instruction)"
        )
