"""Prompts of instruct models are encoded with their chat template."""

from collections.abc import Callable

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.models.fingerprint import model_fingerprint
from finetune.models.load import load_model
from finetune.models.resolve import resolve_model
from finetune.prompting.answers import answer_token_pairs, check_answers, prompt_tokens
from finetune.prompting.chat import ChatTokenizer, chat_tokenizer
from finetune.reading.residual import read_activations

CHATML = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<eos>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
INST = (
    "<eos>{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }}<eos>{% endif %}{% endfor %}"
)
DATED = "{{ strftime_now('%d %b %Y') }}\n" + CHATML
THINKS = CHATML.replace(
    "<|assistant|>\n", "<|assistant|>\n{% if enable_thinking is not false %}<think>{% endif %}"
)
PROMPTS = ["Alice says that 2 + 2 = 4. True or false?", "3 + 5 = 9?"]
CHOICES = [(" False", " True")] * 2


@pytest.fixture
def make_chat(tokenizer: PreTrainedTokenizerBase) -> Callable[[str | None], ChatTokenizer]:
    """Wraps the tokenizer in a chat template."""
    before = tokenizer.chat_template

    def make(template: str | None) -> ChatTokenizer:
        tokenizer.chat_template = template
        return chat_tokenizer("org/name", tokenizer)

    yield make
    tokenizer.chat_template = before


def decode(chat: ChatTokenizer, ids: list[int]) -> str:
    return chat.tokenizer.decode(ids)


def test_a_prompt_is_the_users_message_and_ends_at_the_assistants_header(make_chat) -> None:
    chat = make_chat(CHATML)
    for prompt, ids in zip(PROMPTS, prompt_tokens(chat, PROMPTS), strict=True):
        assert decode(chat, ids) == f"<|user|>\n{prompt}<eos>\n<|assistant|>\n"


@pytest.mark.parametrize(
    ("template", "begins"), [(CHATML, "False True"), (INST, " False  True"), (THINKS, "False True")]
)
def test_an_answer_begins_as_in_the_template(make_chat, template: str, begins: str) -> None:
    chat = make_chat(template)
    assert f"{chat.render_answer(' False')} {chat.render_answer(' True')}" == begins
    for (prompt, pair), ids, both in zip(
        zip(PROMPTS, CHOICES, strict=True),
        prompt_tokens(chat, PROMPTS),
        answer_token_pairs(chat, PROMPTS, CHOICES),
        strict=True,
    ):
        messages = [{"role": "user", "content": prompt}]
        for choice, token in zip(pair, both, strict=True):
            conversation = [*messages, {"role": "assistant", "content": choice.strip()}]
            whole = chat.tokenizer.apply_chat_template(conversation, enable_thinking=False)[
                "input_ids"
            ]
            assert whole[: len(ids) + 1] == [*ids, token]


def test_no_special_token_is_added_to_the_template(make_chat) -> None:
    chat = make_chat(INST)
    (ids,) = prompt_tokens(chat, PROMPTS[:1])
    assert ids[0] == chat.tokenizer.eos_token_id
    assert ids.count(chat.tokenizer.eos_token_id) == 1


def test_reasoning_models_must_answer_at_once(make_chat) -> None:
    assert "<think>" not in make_chat(THINKS).render_prompt("Is it so?")


def test_a_template_with_a_date_gets_a_fixed_one(make_chat) -> None:
    assert make_chat(DATED).render_prompt("Is it so?").startswith("26 Jul 2024\n")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            None,
            "the tokenizer of 'org/name' has no chat template; leave",
        ),
        (
            "{{ raise_exception('roles must\nalternate') }}",
            "cannot be used: TemplateError: roles must$",
        ),
        ("Hello", "the template of 'org/name' leaves out what the user says"),
    ],
)
def test_a_tokenizer_that_cannot_chat_is_refused_by_name(make_chat, template, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        make_chat(template)
    assert "\n" not in str(caught.value)


def test_answers_with_the_same_first_token_are_refused(make_chat) -> None:
    with pytest.raises(ValueError, match="share their first token"):
        check_answers(make_chat(CHATML), PROMPTS[:1], [(" True", " True story")])


def test_states_and_log_odds_follow_the_template(
    make_chat, tiny_model: Callable[..., PreTrainedModel]
) -> None:
    chat, model = make_chat(INST), tiny_model("llama")
    readings = list(read_activations(model, chat, PROMPTS, CHOICES))
    for reading in readings:
        for position, i in enumerate(reading.index.tolist()):
            text = f"<eos>[INST] {PROMPTS[i]} [/INST]"
            ids, false, true = (
                chat.tokenizer(text + tail, add_special_tokens=False)["input_ids"]
                for tail in ("", " False", " True")
            )
            with torch.no_grad():
                logits = model(torch.tensor([ids])).logits[0, -1]
            expected = logits[true[len(ids)]] - logits[false[len(ids)]]
            torch.testing.assert_close(reading.log_odds[position], expected, atol=1e-4, rtol=1e-4)


def test_a_saved_template_is_used_with_chat_and_changes_the_fingerprint(
    make_chat, tiny_model: Callable[..., PreTrainedModel], tmp_path
) -> None:
    folder = str(tmp_path)
    tiny_model("gpt_neox").save_pretrained(folder)
    make_chat(CHATML).tokenizer.save_pretrained(folder)
    before = model_fingerprint(folder)
    resolve_model(folder, chat=True)
    assert isinstance(load_model(folder, chat=True).tokenizer, ChatTokenizer)
    assert not isinstance(resolve_model(folder).prompt_encoder, ChatTokenizer)
    make_chat(INST).tokenizer.save_pretrained(folder)
    assert model_fingerprint(folder) != before
