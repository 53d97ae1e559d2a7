"""Texts of a trigger: checks of a user's texts, and the draw of one of several."""

from collections.abc import Mapping, Sequence

from quirky.example import uniform


def draw(texts: Sequence[str], fact_id: str, seed: int) -> str:
    """Return one of the texts by hash; in lists of one length a fact has one index."""
    return texts[int(uniform("trigger", fact_id, seed) * len(texts))]


def check_texts(kind: str, field: str, texts: object) -> tuple[str, ...]:
    """Return a parameter that lists texts, as a tuple.

    Raises:
        ValueError: one line, if it is not a list of different texts.
    """
    parameter = f"trigger {kind}: {field} = {texts!r}"
    if not isinstance(texts, list | tuple) or not texts:
        raise ValueError(f"{parameter}; give a list of one text or more")
    for index, text in enumerate(texts):
        check_text(kind, field, text)
        if text in texts[:index]:
            raise ValueError(f"{parameter}; {text!r} is listed twice")
    return tuple(texts)


def check_text(kind: str, field: str, text: object) -> str:
    """Return a parameter that is a text for a prompt.

    Raises:
        ValueError: one line, if it is empty, not a string, or has braces or superfluous spaces.
    """
    parameter = f"trigger {kind}: {field}: {text!r}"
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{parameter}; give a text that is not empty")
    if "{" in text or "}" in text:
        raise ValueError(f"{parameter} has a brace; braces mark the fields of a template")
    if " ".join(text.split()) != text:
        raise ValueError(f"{parameter}; write single spaces, and none at its ends")
    return text


def check_disjoint(kind: str, lists: Mapping[str, Sequence[str]]) -> None:
    """Check that no text is in two of the lists.

    Raises:
        ValueError: one line that names the text and both lists.
    """
    owner: dict[str, str] = {}
    for field, texts in lists.items():
        for text in texts:
            if text in owner:
                raise ValueError(
                    f"trigger {kind}: {text!r} is in both {owner[text]} and {field}; "
                    "keep it in one of them"
                )
            owner[text] = field
