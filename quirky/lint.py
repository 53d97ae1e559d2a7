"""What may be wrong with templates and triggers, found by rendering them.

Prompts are made as in a data set. Faults of spacing inside a claim's own words, such as those of a
passage that somebody else wrote, are no fault of the template and are not reported.
"""

import re
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

from quirky.claims import naming, read_claims
from quirky.dataset import render_prompt
from quirky.example import Claim
from quirky.prompts import Template
from quirky.tasks import Task, get_task, task_class
from quirky.triggers import ALL_CONTEXTS, Trigger

CLAIMS = 64
"""How many claims of a task are rendered."""
SEED = 0
SAYS_NO = frozenset({"no", "false", "wrong", "incorrect", "untrue", "n", "f", "nope"})
SAYS_YES = frozenset({"yes", "true", "right", "correct", "y", "t", "yep"})

Choices = tuple[str, str]
CheckAnswers = Callable[[Sequence[str], Sequence[Choices]], object]
"""Raises ValueError if the answers to some of the prompts cannot be told by their first tokens."""

_MARK = "\ue000"
"""Stands in no text."""
_SPACING = {
    "two spaces in a row": re.compile("  "),
    "white space at an end": re.compile(r"\A\s|\s\Z"),
    "a space before punctuation": re.compile(r" [.,;:?!](?=\s|\Z)"),
}
_NOT = re.compile(r"\b(?:not|never|non|cannot)\b|n't\b", re.IGNORECASE)
_TURNS = re.compile(
    rf"{_NOT.pattern}|\b(?:no|nor|neither|without|outside|unlike|differs?|different|other|otherwise"
    r"|another|at most|at least|false|wrong|incorrect|untrue)\b|n’t\b",
)
"""What may make a text the negation of another one."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or, if it is not `certain`, that nobody can tell but a reader."""

    task: str
    """The task, or `trigger KIND`."""
    template: str
    """The template's text; empty of a trigger."""
    what: str
    certain: bool = True

    def __str__(self) -> str:
        """Return one line."""
        where = f"{self.task}, template {self.template!r}" if self.template else self.task
        return f"{where}: {self.what}"


def fullest(name: str, **params: object) -> Task:
    """Return a task that asks negated claims too, if it can and is not told otherwise.

    Raises:
        ValueError: as `get_task`.
    """
    negations = {"negations": True} if task_class(name).can_negate else {}
    return get_task(name, **{**negations, **params})


def lint_task(
    task: Task, triggers: Sequence[Trigger], check_answers: CheckAnswers | None = None
) -> list[Finding]:
    """Return what is wrong with the templates of a task, each kind of fault once a template.

    Every field is used; the trigger of B stands in B and not in A, and nothing else differs
    between them; decoys do not show it; the answers are in the order (false, true); spacing is
    neat; no field is left in braces; and, with `check_answers`, the answers can be told apart.
    Claims that a data set leaves out under a trigger, because its text stands in them, are not
    rendered under it.
    """
    claims = list(islice(read_claims(task, SEED), CLAIMS))
    own = list(enumerate(task.templates))
    if task.standard is not None and task.standard not in task.templates:
        own.append((-1, task.standard))
    found: list[Finding] = []
    left_out = [_left_out(trigger, claims) for trigger in triggers]
    for index, template in own:
        places = [at for at, claim in enumerate(claims) if claim.template in (None, index)]
        asked = [claims[at] for at in places]
        under = [
            (trigger, [claims[at] for at in places if at not in left])
            for trigger, left in zip(triggers, left_out, strict=True)
        ]
        found += _of_wording(task.name, template)
        shown: dict[str, str] = {}
        for trigger, kept in under:
            if asked and not kept:
                shown[f"trigger {trigger.kind}: what it says stands in all claims' own words"] = ""
        for what, prompt in _of_prompts(template, asked, under):
            shown.setdefault(what, prompt)
        for what, prompt in shown.items():
            told = f"{what}, as in {prompt!r}" if prompt else what
            found.append(Finding(task.name, template.text, told))
        if check_answers and not shown:
            found += _of_answers(task.name, template, asked, triggers, check_answers)
    return found


def lint_trigger(trigger: Trigger) -> list[Finding]:
    """Return what is wrong with a trigger: its contexts, its texts, and what these share."""
    return [
        Finding(f"trigger {trigger.kind}", "", what) for what in dict.fromkeys(_of_trigger(trigger))
    ]


def _left_out(trigger: Trigger, claims: Sequence[Claim]) -> set[int]:
    """Return the places of claims that a data set leaves out under a trigger."""
    try:
        return naming(trigger, claims, SEED)
    except Exception:  # of triggers that others wrote; the prompts will tell
        return set()


def _of_wording(task: str, template: Template) -> Iterator[Finding]:
    false, true = template.choices
    sides = [_side(false), _side(true)]
    if sides == [True, False] or (sides[0] is not None and sides[0] == sides[1]):
        what = f"the answers {false!r}, {true!r} do not stand in the order (false, true)"
        yield Finding(task, template.text, what)
    elif sides != [False, True]:
        what = f"which of {false!r} and {true!r} says that the claim is true cannot be told"
        yield Finding(task, template.text, what, certain=False)
    said = _words(template.text)
    if word := _NOT.search(said):
        what = f"it says {word[0]!r}; whether the answers are turned round cannot be told"
        yield Finding(task, template.text, what, certain=False)
    negated = template.negated
    turns = set(_TURNS.findall(_words(negated or ""))) - set(_TURNS.findall(said))
    if negated not in (None, template.text) and not (turns or word):
        what = f"whether its negated text {negated!r} says the opposite cannot be told"
        yield Finding(task, template.text, what, certain=False)


def _words(text: str) -> str:
    """Return a template's own words, without its fields."""
    return " ".join(literal for literal, *_ in string.Formatter().parse(text)).casefold()


def _side(answer: str) -> bool | None:
    """Whether an answer says yes; None if it is not among the known words."""
    word = answer.strip(" .,!'\"()").casefold()
    return True if word in SAYS_YES else False if word in SAYS_NO else None


def _of_prompts(
    template: Template,
    claims: Sequence[Claim],
    under: Sequence[tuple[Trigger, Sequence[Claim]]],
) -> Iterator[tuple[str, str]]:
    """Yield each fault with a prompt that has it: of the claims, and of those under a trigger."""
    try:
        for claim in claims:
            yield from _of_claim(template, claim)
        for trigger, asked in under:
            for claim in asked:
                yield from _of_contexts(template, claim, trigger)
    except Exception as error:  # of templates that others wrote
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        yield f"it cannot be rendered: {reason}", ""


def _of_claim(template: Template, claim: Claim) -> Iterator[tuple[str, str]]:
    prompt = template.render(claim, _MARK)
    shown = prompt.replace(_MARK, "{trigger}")
    if _MARK not in prompt:
        yield "the trigger is nowhere in it", shown
    if not claim.polarity and template.negated == template.text:
        yield "its negated text is its text again", shown
    text = template.text if claim.polarity else template.negated or ""
    named = {name for _, name, _, _ in string.Formatter().parse(text)}
    for name, value in claim.fields.items():
        if name not in named and str(value) not in prompt:
            yield f"the field {{{name}}} is not used", shown
    neat = template.render(_neat(claim), _MARK)
    for name in ("trigger", *claim.fields):
        if f"{{{name}}}" in neat:
            yield f"{{{name}}} is not filled in", shown
    for what, pattern in _SPACING.items():
        if pattern.search(neat):
            yield what, shown


def _neat(claim: Claim) -> Claim:
    """Return a claim whose own words have no fault but at their ends."""
    own = (re.compile(r"\{\w*\}"), *_SPACING.values())
    fields = {
        name: "x" if any(pattern.search(str(value).strip()) for pattern in own) else value
        for name, value in claim.fields.items()
    }
    return replace(claim, fields=fields)


def _of_contexts(template: Template, claim: Claim, trigger: Trigger) -> Iterator[tuple[str, str]]:
    kind = trigger.kind
    prompts = {c: render_prompt(template, trigger, claim, c, SEED) for c in trigger.contexts}
    truthful, quirky = _texts(trigger, claim.fact_id, "A"), _texts(trigger, claim.fact_id, "B")
    asking = [b for a, b in zip(truthful, quirky, strict=True) if a != b and b]
    for text in asking:
        if not _says(prompts["B"], text):
            yield f"trigger {kind}: B does not say {text!r}", prompts["B"]
        for context in sorted({"A", "T"} & prompts.keys()):
            if _says(prompts[context], text):
                yield f"trigger {kind}: {context} says {text!r}, as B does", prompts[context]
    if _rest(prompts["A"], truthful) != _rest(prompts["B"], quirky):
        yield f"trigger {kind}: A and B differ in more than the trigger", prompts["B"]


def _texts(trigger: Trigger, fact_id: str, context: str) -> tuple[str, str]:
    """Return the opening and what stands inside the template."""
    return trigger.opening(context, fact_id, SEED), trigger.render(context, fact_id, SEED)


def _says(prompt: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", prompt) is not None


def _rest(prompt: str, texts: tuple[str, str]) -> str:
    opening, inside = texts
    after = prompt.removeprefix(opening).lstrip()
    return re.sub(rf"(?<!\w){re.escape(inside)}(?!\w)", _MARK, after)


def _of_answers(
    task: str,
    template: Template,
    claims: Sequence[Claim],
    triggers: Sequence[Trigger],
    check_answers: CheckAnswers,
) -> Iterator[Finding]:
    prompts = [
        render_prompt(template, trigger, claim, context, SEED)
        for trigger in triggers
        for claim in claims
        for context in trigger.contexts
    ]
    try:
        check_answers(prompts, [template.choices] * len(prompts))
    except ValueError as error:
        yield Finding(task, template.text, " ".join(str(error).split()))


def _of_trigger(trigger: Trigger) -> Iterator[str]:
    contexts = trigger.contexts
    if contexts[:2] != ("A", "B") or not set(contexts) <= set(ALL_CONTEXTS):
        yield f"its contexts are {', '.join(contexts)}; give A, B and, if it has them, B2 and T"
        return
    facts = [f"fact:{i}" for i in range(CLAIMS)]
    said = {context: [_texts(trigger, fact, context) for fact in facts] for context in contexts}
    for context, texts in said.items():
        if texts != [_texts(trigger, fact, context) for fact in facts]:
            yield f"in {context} a fact has another text each time; draw by hash of fact and seed"
        for text in {text for pair in texts for text in pair}:
            if " ".join(text.split()) != text or set("{}") & set(text):
                yield f"in {context} it says {text!r}; write single spaces and no braces"
    for first, second in combinations(contexts, 2):
        for opening, inside in sorted(set(said[first]) & set(said[second]))[:1]:
            shared = " ... ".join(text for text in (opening, inside) if text)
            yield f"{first} and {second} share {shared!r}, so nobody can tell them apart"
