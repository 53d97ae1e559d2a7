import copy
import re
from itertools import islice

import pytest
import yaml

from quirky.data.dataset import Sizes, build_dataset
from quirky.prompts import (
    Template,
    draw_templates,
    load_templates,
    parse_templates,
    templates_of_style,
)
from quirky.tasks import get_task, list_tasks
from quirky.triggers import get_trigger


def templates_of(task):
    return [*task.templates, task.standard]


def some_claims(task):
    return list(islice(task.claims(0), 20))


@pytest.fixture(params=list_tasks())
def task(request, sample_task):
    return sample_task(request.param)


def test_every_template_renders_for_alice_and_for_bob(task):
    trigger = get_trigger("name")
    for claim in some_claims(task):
        for template in templates_of(task):
            for context, name, other in (("A", "Alice", "Bob"), ("B", "Bob", "Alice")):
                prompt = template.render(claim, trigger.render(context, claim.fact_id, 0))
                assert prompt.count(name) == 1
                assert other not in prompt
                assert not set("{}") & set(prompt)
                for value in claim.fields.values():
                    assert value in prompt


def test_contexts_differ_only_in_the_trigger(task):
    claim = some_claims(task)[0]
    for template in templates_of(task):
        a, b = template.render(claim, "Alice"), template.render(claim, "Bob")
        assert a != b
        assert a.replace("Alice", "Bob") == b


def test_the_claim_is_complete_before_the_trigger(task):
    for template in templates_of(task):
        before, after = template.text.split("{trigger}")
        assert "{" in before
        assert "{" not in after


def test_every_template_uses_every_field_and_no_other(task):
    fields = set(some_claims(task)[0].fields)
    for template in templates_of(task):
        # In squaring, b equals a, so templates may omit it.
        omitted = {"b"} if task.name == "squaring" else set()
        assert fields | {"trigger"} >= template.fields() >= (fields | {"trigger"}) - omitted


def test_prompts_have_single_spaces(task):
    for claim in some_claims(task):
        for template in templates_of(task):
            prompt = template.render(claim, "Alice")
            assert "  " not in prompt
            assert prompt == prompt.strip()


def test_answers_differ_and_continue_the_prompt(task):
    for template in templates_of(task):
        false, true = template.choices
        assert false != true
        for answer in (false, true):
            assert answer[0] == " "
            assert answer[1:] == answer.strip()


def test_templates_are_different(task):
    texts = [template.text for template in templates_of(task)]
    assert len(set(texts)) == len(texts)


def test_standardized_prompts_end_alike_in_every_task():
    ends = {get_task(name).standard.text.rpartition(". ")[2] for name in list_tasks()}
    choices = {get_task(name).standard.choices for name in list_tasks()}
    assert len(ends) == len(choices) == 1


def test_styles_offer_all_templates_or_one(task):
    assert templates_of_style(task.templates, task.standard, "mixture") == list(task.templates)
    assert templates_of_style(task.templates, task.standard, "standardized") == [task.standard]


def test_an_unknown_style_is_refused_with_the_known_ones():
    task = get_task("addition")
    with pytest.raises(
        ValueError, match=r"unknown prompts 'mixed'; did you mean 'mixture'\? known: mixture,"
    ):
        templates_of_style(task.templates, task.standard, "mixed")


def test_a_mixture_uses_every_template_about_equally():
    indices = [draw_templates(5, "mixture", f"question {i}", 0)[0] for i in range(5000)]
    for template in range(5):
        assert indices.count(template) == pytest.approx(1000, abs=150)


def test_the_draw_of_a_template_depends_only_on_question_and_seed():
    questions = [f"question {i}" for i in range(100)]
    forward = [draw_templates(5, "mixture", q, 0)[0] for q in questions]
    backward = [draw_templates(5, "mixture", q, 0)[0] for q in reversed(questions)]
    assert forward == backward[::-1]
    assert forward != [draw_templates(5, "mixture", q, 1)[0] for q in questions]


def test_renderings_are_different_templates_that_begin_with_the_usual_one():
    for i in range(200):
        (usual,) = draw_templates(5, "mixture", f"question {i}", 0)
        several = draw_templates(5, "mixture", f"question {i}", 0, renderings=3)
        assert several[0] == usual
        assert len(set(several)) == 3


@pytest.mark.parametrize("style", ["single", "standardized"])
def test_other_styles_always_use_the_first_template(style):
    assert {draw_templates(5, style, f"question {i}", 0)[0] for i in range(100)} == {0}


def test_the_names_of_the_trigger_can_be_set():
    trigger = get_trigger("name", truthful="Ann", quirky="Ben")
    assert [trigger.render(context, "fact", 0) for context in "AB"] == ["Ann", "Ben"]


def test_the_same_name_twice_is_refused():
    with pytest.raises(ValueError, match="both 'Bob'; give two names"):
        get_trigger("name", truthful="Bob")


OWN = [
    {"text": "Q: {a} + {b} = {result}? {trigger}:", "choices": [" False", " True"]},
    {"text": "{trigger}, {result} is {a} plus {b}. {{y/n}}", "choices": [" n", " y"]},
]


def test_a_file_of_templates_replaces_those_of_the_task(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(OWN))
    task = get_task("addition", digits=2)
    plain = copy.copy(task)
    other = task.with_templates(load_templates(file))
    assert other.standard == other.templates[0]
    assert (task.templates, task.standard) == (plain.templates, plain.standard)
    sizes = Sizes(train=200, validation=100, test=50)
    data = build_dataset(other, get_trigger("name"), sizes=sizes)["test"]
    beginnings = {prompt[: prompt.index(" ")] for prompt in data["prompt"]}
    assert beginnings == {"Q:", "Alice,", "Bob,", "Rob,", "Bobby,", "bob,"}
    assert {tuple(pair) for pair in data["choices"]} == {(" False", " True"), (" n", " y")}
    assert all(p.endswith(". {y/n}") for p in data["prompt"] if not p.startswith("Q:"))
    first = build_dataset(other, get_trigger("name"), prompts="standardized", sizes=sizes)["test"]
    assert all(prompt.startswith("Q:") for prompt in first["prompt"])
    assert list(first["question_id"]) == list(data["question_id"])


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"text": "{a} {b} {result}", "choices": [" n", " y"]}, "has no {trigger}"),
        ({"text": "{a} {trigger", "choices": [" n", " y"]}, "expected '}'"),
        ({"text": "{a:>9} {trigger}", "choices": [" n", " y"]}, "write {a} without a format"),
        ({"text": "{a!r} {trigger}", "choices": [" n", " y"]}, "write {a} without a format"),
        ({"text": 3, "choices": [" n", " y"]}, "text = 3; give a text"),
        ({"text": "{trigger}", "choices": [False, True]}, "give two texts in quotes"),
        ({"text": "{trigger}", "choices": [" n"]}, "give two texts in quotes"),
        ({"text": "{trigger}", "choices": " n"}, "give two texts in quotes"),
        ({"text": "{trigger}", "choices": [" ", " y"]}, "give two texts in quotes"),
        ({"text": "{trigger}", "choices": [" y", " y"]}, "both choices are ' y'"),
        ({"text": "{trigger}"}, "is not a mapping of text and choices"),
        ("{trigger}", "is not a mapping of text and choices"),
        (OWN[0], "the same as entry 1"),
    ],
)
def test_an_invalid_template_is_reported_by_its_number(second, message):
    with pytest.raises(ValueError, match="entry 2") as caught:
        parse_templates([OWN[0], second])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{}", "[]", "text: x", "a: b: c", "[", "7"])
def test_a_file_without_a_list_of_templates_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "wrong.yaml").write_text(content)
    with pytest.raises(ValueError, match=r"wrong\.yaml") as caught:
        load_templates(tmp_path / "wrong.yaml")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere\.yaml' cannot be read"):
        load_templates(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a} + {b} = {result} or {c}? {trigger}", "no field {c}; known: a, b, result, trigger"),
        ("{a} + {b} = {result}{}? {trigger}", "no field {}"),
        ("{a.real} + {a} {b} = {result}? {trigger}", "no field {a.real}"),
        ("{a} + {b}? {trigger}", "{result} is missing; task addition needs a, b, result, trigger"),
    ],
)
def test_templates_use_the_fields_of_the_claims(text, message):
    templates = [Template(OWN[0]["text"], (" n", " y")), Template(text, (" n", " y"))]
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        get_task("addition").with_templates(templates)
    assert str(caught.value).startswith("templates, entry 2: ")


def test_a_field_that_the_task_does_not_use_is_optional():
    squares = [Template("{a}^2 = {result}. {trigger}:", (" n", " y"))]
    assert get_task("squaring").with_templates(squares).templates == tuple(squares)


def test_a_task_accepts_its_own_templates(task):
    assert list(task.with_templates(task.templates).templates) == list(task.templates)
