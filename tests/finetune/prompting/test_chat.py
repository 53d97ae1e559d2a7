"""Instruct models are asked through their chat template, in the tokens that the template gives."""

from collections.abc import Callable

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.models.fingerprint import model_fingerprint
from finetune.models.load import load_model
from finetune.models.resolve import resolve_model
from finetune.models.tokenizer import load_prompt_encoder
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
def asker(tokenizer: PreTrainedTokenizerBase) -> Callable[[str | None], ChatTokenizer]:
    """The tokenizer with a chat template of one kind or another."""
    before = tokenizer.chat_template

    def make(template: str | None) -> ChatTokenizer:
        tokenizer.chat_template = template
        return chat_tokenizer("org/name", tokenizer)

    yield make
    tokenizer.chat_template = before


def shown(asker: ChatTokenizer, ids: list[int]) -> str:
    return asker.tokenizer.decode(ids)


def test_the_prompt_is_the_user_s_message_and_ends_where_the_assistant_begins(asker) -> None:
    chat = asker(CHATML)
    for prompt, ids in zip(PROMPTS, prompt_tokens(chat, PROMPTS), strict=True):
        assert shown(chat, ids) == f"<|user|>\n{prompt}<eos>\n<|assistant|>\n"


@pytest.mark.parametrize(
    ("template", "begins"), [(CHATML, "False True"), (INST, " False  True"), (THINKS, "False True")]
)
def test_an_answer_begins_as_the_template_lets_the_assistant_begin(
    asker, template: str, begins: str
) -> None:
    chat = asker(template)
    assert f"{chat.render_answer(' False')} {chat.render_answer(' True')}" == begins
    for (prompt, pair), ids, both in zip(
        zip(PROMPTS, CHOICES, strict=True),
        prompt_tokens(chat, PROMPTS),
        answer_token_pairs(chat, PROMPTS, CHOICES),
        strict=True,
    ):
        messages = [{"role": "user", "content": prompt}]
        for choice, token in zip(pair, both, strict=True):
            said = [*messages, {"role": "assistant", "content": choice.strip()}]
            whole = chat.tokenizer.apply_chat_template(said, enable_thinking=False)["input_ids"]
            assert whole[: len(ids) + 1] == [*ids, token]


def test_nothing_is_put_before_what_the_template_begins_with(asker) -> None:
    chat = asker(INST)
    (ids,) = prompt_tokens(chat, PROMPTS[:1])
    assert ids[0] == chat.tokenizer.eos_token_id
    assert ids.count(chat.tokenizer.eos_token_id) == 1


def test_a_model_that_can_think_first_is_asked_to_answer_at_once(asker) -> None:
    assert "<think>" not in asker(THINKS).render_prompt("Is it so?")


def test_a_template_that_tells_the_date_tells_the_same_one_tomorrow(asker) -> None:
    assert asker(DATED).render_prompt("Is it so?").startswith("26 Jul 2024\n")


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (None, "the tokenizer of 'org/name' has no chat template, so it is no instruct model"),
        (
            "{{ raise_exception('roles must\nalternate') }}",
            "cannot be used: TemplateError: roles must$",
        ),
        ("Hello", "the template of 'org/name' leaves out what the user says"),
    ],
)
def test_a_tokenizer_that_cannot_chat_is_refused_by_name(asker, template, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        asker(template)
    assert "\n" not in str(caught.value)


def test_answers_that_begin_alike_for_the_assistant_are_refused(asker) -> None:
    with pytest.raises(ValueError, match="share their first token"):
        check_answers(asker(CHATML), PROMPTS[:1], [(" True", " True story")])


def test_states_and_log_odds_are_those_behind_the_template(
    asker, tiny_model: Callable[..., PreTrainedModel]
) -> None:
    chat, model = asker(INST), tiny_model("llama")
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


def test_a_saved_template_is_used_where_it_is_asked_for_and_tells_models_apart(
    asker, tiny_model: Callable[..., PreTrainedModel], tmp_path
) -> None:
    folder = str(tmp_path)
    tiny_model("gpt_neox").save_pretrained(folder)
    asker(CHATML).tokenizer.save_pretrained(folder)
    known = model_fingerprint(folder)
    resolve_model(folder, chat=True)
    assert isinstance(load_model(folder, chat=True).tokenizer, ChatTokenizer)
    assert not isinstance(load_prompt_encoder(folder), ChatTokenizer)
    asker(INST).tokenizer.save_pretrained(folder)
    assert model_fingerprint(folder) != known
