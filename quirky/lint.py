"""Finds faults in templates and triggers by rendering them.

Prompts are rendered as in a data set. Faulty spacing inside the fields of a claim, such as that of
a quoted passage, is not a fault of the template and is not reported.
"""

import re
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

from quirky.data.claims import claims_that_mention, read_claims
from quirky.data.rendering import render_prompt
from quirky.example import Claim
from quirky.plugins import one_line
from quirky.prompts import Template
from quirky.tasks import Task, get_task, task_class
from quirky.text import collapse_whitespace
from quirky.triggers import ALL_CONTEXTS, Trigger

CLAIMS = 64
"""Number of claims of a task that are rendered."""
SEED = 0
FALSE_ANSWERS = frozenset({"no", "false", "wrong", "incorrect", "untrue", "n", "f", "nope"})
TRUE_ANSWERS = frozenset({"yes", "true", "right", "correct", "y", "t", "yep"})

Choices = tuple[str, str]
CheckAnswers = Callable[[Sequence[str], Sequence[Choices]], object]
"""Takes prompts and their choices; raises ValueError if two answers share their first token."""
TriggerClaims = tuple[Trigger, Sequence[Claim]]
"""A trigger and the claims that are rendered with it."""

_MARK = "\ue000"
"""Stands for the trigger; a private-use character that no text contains."""
_SPACING_FAULTS = {
    "two spaces in a row": re.compile("  "),
    "white space at an end": re.compile(r"\A\s|\s\Z"),
    "a space before punctuation": re.compile(r" [.,;:?!](?=\s|\Z)"),
}
_NOT = re.compile(r"\b(?:not|never|non|cannot)\b|n't\b", re.IGNORECASE)
_NEGATING_WORDS = re.compile(
    rf"{_NOT.pattern}|\b(?:no|nor|neither|without|outside|unlike|differs?|different|other|otherwise"
    r"|another|at most|at least|false|wrong|incorrect|untrue)\b|n’t\b",
)
"""Words that can turn a text into the negation of another."""


@dataclass(frozen=True)
class Finding:
    """A fault of a template or trigger, or, if not `certain`, a text that a person must check."""

    task: str
    """The task, or `trigger KIND`."""
    template: str
    """The text of the template; empty for a trigger."""
    message: str
    certain: bool = True

    def __str__(self) -> str:
        """Return one line."""
        subject = f"{self.task}, template {self.template!r}" if self.template else self.task
        return f"{subject}: {self.message}"


def task_with_negations(name: str, **params: object) -> Task:
    """Return a task, with negated claims if it can have them and `params` does not say otherwise.

    Raises:
        ValueError: as `get_task`.
    """
    negations = {"negations": True} if task_class(name).can_negate else {}
    return get_task(name, **{**negations, **params})


def lint_task(
    task: Task, triggers: Sequence[Trigger], check_answers: CheckAnswers | None = None
) -> list[Finding]:
    """Return the faults of a task's templates, each kind of fault once per template.

    A template must use every field of the claim and fill in every brace; its answers must be in
    the order (false, true), and its spacing clean. B must contain the trigger text of B, A and T
    must not, and A and B must differ in nothing else. With `check_answers`, the first tokens of
    the answers must differ.

    Claims that a data set would drop, because they mention the trigger text, are not rendered.
    """
    claims = list(islice(read_claims(task, SEED), CLAIMS))
    dropped = [_dropped_claims(trigger, claims) for trigger in triggers]
    templates = list(enumerate(task.templates))
    if task.standard is not None and task.standard not in task.templates:
        templates.append((-1, task.standard))
    findings: list[Finding] = []
    for index, template in templates:
        indices = [i for i, claim in enumerate(claims) if claim.template in (None, index)]
        template_claims = [claims[i] for i in indices]
        trigger_claims = [
            (trigger, [claims[i] for i in indices if i not in excluded])
            for trigger, excluded in zip(triggers, dropped, strict=True)
        ]
        findings += _wording_findings(task.name, template)
        faults = _faults_with_examples(template, template_claims, trigger_claims)
        findings += [Finding(task.name, template.text, fault) for fault in faults]
        if check_answers and not faults:
            prompts = _prompts(template, template_claims, triggers)
            findings += _answer_findings(task.name, template, prompts, check_answers)
    return findings


def lint_trigger(trigger: Trigger) -> list[Finding]:
    """Return the faults of a trigger: of its contexts, its texts, and what two contexts share."""
    return [
        Finding(f"trigger {trigger.kind}", "", fault)
        for fault in dict.fromkeys(_trigger_faults(trigger))
    ]


def _dropped_claims(trigger: Trigger, claims: Sequence[Claim]) -> set[int]:
    """Return the indices of claims that a data set would drop for a trigger."""
    try:
        return claims_that_mention(trigger, claims, SEED)
    except Exception:  # a plug-in's trigger may raise anything; rendering reports it
        return set()


def _wording_findings(task: str, template: Template) -> Iterator[Finding]:
    false, true = template.choices
    verdicts = [_verdict(false), _verdict(true)]
    if verdicts == [True, False] or (verdicts[0] is not None and verdicts[0] == verdicts[1]):
        message = f"the answers {false!r}, {true!r} are not in the order (false, true)"
        yield Finding(task, template.text, message)
    elif verdicts != [False, True]:
        message = f"it is unclear which of {false!r} and {true!r} means true; check by hand"
        yield Finding(task, template.text, message, certain=False)
    words = _literal_words(template.text)
    if negation := _NOT.search(words):
        message = f"the text contains {negation[0]!r}, which may swap the answers; check by hand"
        yield Finding(task, template.text, message, certain=False)
    negated = template.negated
    added = set(_NEGATING_WORDS.findall(_literal_words(negated or "")))
    added -= set(_NEGATING_WORDS.findall(words))
    if negated not in (None, template.text) and not (added or negation):
        message = f"the negated text {negated!r} may not say the opposite; check by hand"
        yield Finding(task, template.text, message, certain=False)


def _literal_words(text: str) -> str:
    """Return the text of a template without its fields, in lower case."""
    return " ".join(literal for literal, *_ in string.Formatter().parse(text)).casefold()


def _verdict(answer: str) -> bool | None:
    """Return whether an answer says true; None if it is not a known word."""
    word = answer.strip(" .,!'\"()").casefold()
    return True if word in TRUE_ANSWERS else False if word in FALSE_ANSWERS else None


def _faults_with_examples(
    template: Template, claims: Sequence[Claim], trigger_claims: Sequence[TriggerClaims]
) -> list[str]:
    """Return the faults of a template, each with the first prompt that has it."""
    examples: dict[str, str] = {}
    for trigger, rendered in trigger_claims:
        if claims and not rendered:
            examples[f"trigger {trigger.kind}: every claim mentions its text and is dropped"] = ""
    for fault, prompt in _prompt_faults(template, claims, trigger_claims):
        examples.setdefault(fault, prompt)
    return [f"{fault}, as in {prompt!r}" if prompt else fault for fault, prompt in examples.items()]


def _prompt_faults(
    template: Template, claims: Sequence[Claim], trigger_claims: Sequence[TriggerClaims]
) -> Iterator[tuple[str, str]]:
    """Yield each fault with a prompt that has it."""
    try:
        for claim in claims:
            yield from _claim_faults(template, claim)
        for trigger, rendered in trigger_claims:
            for claim in rendered:
                yield from _context_faults(template, claim, trigger)
    except Exception as error:  # a plug-in's template may raise anything
        yield f"it cannot be rendered: {one_line(error)}", ""


def _claim_faults(template: Template, claim: Claim) -> Iterator[tuple[str, str]]:
    marked = template.render(claim, _MARK)
    prompt = marked.replace(_MARK, "{trigger}")
    if _MARK not in marked:
        yield "the trigger is missing", prompt
    if not claim.polarity and template.negated == template.text:
        yield "its negated text is the same as its text", prompt
    text = template.text if claim.polarity else template.negated or ""
    template_fields = {name for _, name, _, _ in string.Formatter().parse(text)}
    for name, value in claim.fields.items():
        if name not in template_fields and str(value) not in marked:
            yield f"the field {{{name}}} is not used", prompt
    clean = template.render(_with_clean_fields(claim), _MARK)
    for name in ("trigger", *claim.fields):
        if f"{{{name}}}" in clean:
            yield f"{{{name}}} is not filled in", prompt
    for fault, pattern in _SPACING_FAULTS.items():
        if pattern.search(clean):
            yield fault, prompt


def _with_clean_fields(claim: Claim) -> Claim:
    """Return a claim without faults inside its fields; white space at their ends remains."""
    patterns = (re.compile(r"\{\w*\}"), *_SPACING_FAULTS.values())
    fields = {
        name: "x" if any(pattern.search(str(value).strip()) for pattern in patterns) else value
        for name, value in claim.fields.items()
    }
    return replace(claim, fields=fields)


def _context_faults(
    template: Template, claim: Claim, trigger: Trigger
) -> Iterator[tuple[str, str]]:
    kind = trigger.kind
    prompts = {c: render_prompt(template, trigger, claim, c, SEED) for c in trigger.contexts}
    texts_a, texts_b = (_trigger_texts(trigger, claim.fact_id, context) for context in "AB")
    for text in [b for a, b in zip(texts_a, texts_b, strict=True) if a != b and b]:
        if not _contains(prompts["B"], text):
            yield f"trigger {kind}: B does not contain its trigger text {text!r}", prompts["B"]
        for context in sorted({"A", "T"} & prompts.keys()):
            if _contains(prompts[context], text):
                fault = f"trigger {kind}: {context} contains {text!r}, the trigger text of B"
                yield fault, prompts[context]
    if _without_trigger(prompts["A"], texts_a) != _without_trigger(prompts["B"], texts_b):
        yield f"trigger {kind}: A and B differ in more than the trigger", prompts["B"]


def _trigger_texts(trigger: Trigger, fact_id: str, context: str) -> tuple[str, str]:
    """Return the opening, and the text inside the template."""
    return trigger.opening(context, fact_id, SEED), trigger.render(context, fact_id, SEED)


def _contains(prompt: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", prompt) is not None


def _without_trigger(prompt: str, texts: tuple[str, str]) -> str:
    opening, inside = texts
    question = prompt.removeprefix(opening).lstrip()
    return re.sub(rf"(?<!\w){re.escape(inside)}(?!\w)", _MARK, question)


def _prompts(template: Template, claims: Sequence[Claim], triggers: Sequence[Trigger]) -> list[str]:
    return [
        render_prompt(template, trigger, claim, context, SEED)
        for trigger in triggers
        for claim in claims
        for context in trigger.contexts
    ]


def _answer_findings(
    task: str, template: Template, prompts: Sequence[str], check_answers: CheckAnswers
) -> Iterator[Finding]:
    try:
        check_answers(prompts, [template.choices] * len(prompts))
    except ValueError as error:
        yield Finding(task, template.text, collapse_whitespace(str(error)))


def _trigger_faults(trigger: Trigger) -> Iterator[str]:
    contexts = trigger.contexts
    if contexts[:2] != ("A", "B") or not set(contexts) <= set(ALL_CONTEXTS):
        yield f"its contexts are {', '.join(contexts)}; give A and B, and optionally B2 and T"
        return
    facts = [f"fact:{i}" for i in range(CLAIMS)]
    texts = {
        context: [_trigger_texts(trigger, fact, context) for fact in facts] for context in contexts
    }
    for context in contexts:
        if texts[context] != [_trigger_texts(trigger, fact, context) for fact in facts]:
            yield f"in {context} the text of a fact changes; draw it by hash of fact and seed"
        for text in {text for pair in texts[context] for text in pair}:
            if collapse_whitespace(text) != text or set("{}") & set(text):
                yield f"in {context} the text is {text!r}; write single spaces and no braces"
    for first, second in combinations(contexts, 2):
        for opening, inside in sorted(set(texts[first]) & set(texts[second]))[:1]:
            shared = " ... ".join(text for text in (opening, inside) if text)
            yield f"{first} and {second} share {shared!r}, so the model cannot tell them apart"
