import itertools

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from finetune.architectures.blocks import block_list
from finetune.architectures.lora_targets import default_targets
from finetune.prompting.answers import answer_token_pairs
from finetune.reading.hooks import block_outputs
from finetune.reading.residual import log_odds, read_activations
from finetune.reading.tokens import read_token_activations

PROMPTS = [
    "Alice says that 2 + 2 = 4. True or false?",
    "3 + 5 = 9?",
    "Bob says that 3 + 5 = 9. True or false?",
    "2 + 2 = 4?",
    "Bob says that 2 + 2 = 4. True or false?",
    "Alice says that the town of Arda lies in the north. Is it so?",
    "5 + 2 = 8?",
]
CHOICES = [(" False", " True"), (" no", " so"), *[(" False", " True")] * 5]
FINAL_NORM = {
    "gpt_neox": "gpt_neox.final_layer_norm",
    "llama": "model.norm",
    "mamba": "backbone.norm_f",
    "mamba2": "backbone.norm_f",
}


def answer_tokens(tokenizer, choices):
    """The first token of each answer behind a prompt."""
    return answer_token_pairs(tokenizer, ["."], [choices])[0]


def read_all(model, tokenizer, prompts=PROMPTS, choices=CHOICES, **options):
    """Log-odds, prompt states and pair states of all prompts in input order."""
    batches = list(read_activations(model, tokenizer, prompts, choices, **options))
    order = torch.argsort(torch.cat([batch.index for batch in batches]))
    return (
        torch.cat([batch.log_odds for batch in batches])[order],
        torch.cat([batch.prompt for batch in batches], dim=1)[:, order],
        torch.cat([batch.pair for batch in batches], dim=1)[:, order],
    )


def plain_run(model, tokens):
    """States (layers, time, d) and logits (time, vocab) of one sequence, with separate hooks."""
    outputs = []
    hooks = [
        block.register_forward_hook(
            lambda _m, _a, out: outputs.append(out[0] if isinstance(out, tuple) else out)
        )
        for block in block_list(model)
    ]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]
    for hook in hooks:
        hook.remove()
    return torch.cat(outputs), logits


def close(a, b):
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_batches_equal_one_prompt_at_a_time(model, tokenizer):
    together = read_all(model, tokenizer)
    alone = [
        read_all(model, tokenizer, [prompt], [choice])
        for prompt, choice in zip(PROMPTS, CHOICES, strict=True)
    ]
    close(together[0], torch.cat([one[0] for one in alone]))
    for kind in (1, 2):
        close(together[kind], torch.cat([one[kind] for one in alone], dim=1))


def test_states_and_log_odds_equal_plain_runs_from_the_start(model, tokenizer):
    odds, prompt, pair = read_all(model, tokenizer)
    for i, text in enumerate(PROMPTS):
        tokens = tokenizer(text)["input_ids"]
        answers = answer_tokens(tokenizer, CHOICES[i])
        states, logits = plain_run(model, tokens)
        close(prompt[:, i], states[:, -1])
        close(odds[i], logits[-1, answers[1]] - logits[-1, answers[0]])
        for side, answer in enumerate(answers):
            close(pair[:, i, side], plain_run(model, [*tokens, answer])[0][:, -1])


def test_shapes_and_types(model, tokenizer):
    odds, prompt, pair = read_all(model, tokenizer)
    layers, width = model.config.num_hidden_layers, model.config.hidden_size
    assert odds.shape == (len(PROMPTS),)
    assert prompt.shape == (layers, len(PROMPTS), width)
    assert pair.shape == (layers, len(PROMPTS), 2, width)
    assert {odds.dtype, prompt.dtype, pair.dtype} == {torch.float32}


def test_layer_l_moves_with_block_l_and_not_with_block_l_plus_1(model, tokenizer):
    _, before, _ = read_all(model, tokenizer)
    for changed in reversed(range(len(block_list(model)))):
        with torch.no_grad():
            for weight in block_list(model)[changed].parameters():
                weight.mul_(1.5)
        _, after, _ = read_all(model, tokenizer)
        assert torch.equal(after[:changed], before[:changed])
        assert not torch.allclose(after[changed], before[changed], atol=1e-3)
        before = after


def test_layer_l_is_the_last_layer_of_a_model_of_l_blocks(model, family, tiny_model, tokenizer):
    _, prompt, pair = read_all(model, tokenizer)
    for depth in range(1, len(prompt)):
        shallow = tiny_model(family, num_hidden_layers=depth)
        shallow.load_state_dict(model.state_dict(), strict=False)
        _, shallow_prompt, shallow_pair = read_all(shallow, tokenizer)
        close(shallow_prompt[-1], prompt[depth - 1])
        close(shallow_pair[-1], pair[depth - 1])


def test_final_norm_and_head_turn_the_last_layer_into_the_logits(model, family, tokenizer):
    odds, prompt, _ = read_all(model, tokenizer)
    norm, head = model.get_submodule(FINAL_NORM[family]), model.get_output_embeddings()
    with torch.no_grad():
        logits = head(norm(prompt[-1]))
    for i, choice in enumerate(CHOICES):
        false, true = answer_tokens(tokenizer, choice)
        close(odds[i], logits[i, true] - logits[i, false])


def test_an_adapted_model_is_read_like_a_plain_run(model, tokenizer):
    torch.manual_seed(1)
    settings = LoraConfig(target_modules=default_targets(model), init_lora_weights=False)
    adapted = get_peft_model(model, settings).eval()
    odds, prompt, _ = read_all(adapted, tokenizer)
    for i, text in enumerate(PROMPTS):
        false, true = answer_tokens(tokenizer, CHOICES[i])
        states, logits = plain_run(adapted, tokenizer(text)["input_ids"])
        close(prompt[:, i], states[:, -1])
        close(odds[i], logits[-1, true] - logits[-1, false])
    with adapted.disable_adapter():
        plain, _, _ = read_all(adapted, tokenizer)
    assert not torch.allclose(odds, plain, atol=1e-2)


def test_log_odds_are_in_the_order_of_the_prompts(model, tokenizer):
    odds, _, _ = read_all(model, tokenizer)
    close(log_odds(model, tokenizer, PROMPTS, CHOICES, batch_size=2), odds)
    assert log_odds(model, tokenizer, [], []).shape == (0,)


def test_swapped_answers_mirror_the_log_odds_and_the_pair(model, tokenizer):
    odds, _, pair = read_all(model, tokenizer)
    swapped_odds, _, swapped_pair = read_all(model, tokenizer, choices=[c[::-1] for c in CHOICES])
    close(swapped_odds, -odds)
    close(swapped_pair, pair.flip(2))


def test_batches_are_of_one_length_bounded_and_complete(tiny_model, tokenizer):
    batches = list(read_activations(tiny_model("mamba"), tokenizer, PROMPTS, CHOICES, batch_size=2))
    lengths = [len(ids) for ids in tokenizer(PROMPTS)["input_ids"]]
    for batch in batches:
        assert len(batch.index) <= 2
        assert len({lengths[i] for i in batch.index}) == 1
    assert sorted(i for batch in batches for i in batch.index.tolist()) == list(range(7))
    assert max(len(batch.index) for batch in batches) == 2


@pytest.mark.parametrize("states", [(), ("prompt",), ("pair",), ("prompt", "pair")])
def test_only_the_requested_states_are_computed(tiny_model, tokenizer, states):
    model = tiny_model("gpt_neox")
    runs = []
    model.register_forward_pre_hook(lambda *_: runs.append(1))
    batches = list(read_activations(model, tokenizer, PROMPTS[:1], CHOICES[:1], states=states))
    assert (batches[0].prompt is not None) == ("prompt" in states)
    assert (batches[0].pair is not None) == ("pair" in states)
    assert len(runs) == (2 if "pair" in states else 1)


def test_states_and_log_odds_can_be_used_in_autograd(tiny_model, tokenizer):
    odds, prompt, pair = read_all(tiny_model("mamba2"), tokenizer)
    weight = torch.ones(prompt.shape[-1], requires_grad=True)
    ((prompt @ weight).sum() + (pair @ weight).sum() + (odds * weight[0]).sum()).backward()
    assert weight.grad is not None


def test_a_model_without_logits_to_keep_gives_the_same(tiny_model, tokenizer, monkeypatch):
    model = tiny_model("gpt_neox")
    expected = read_all(model, tokenizer)
    forward = model.forward

    def plain(input_ids, use_cache):
        return forward(input_ids=input_ids, use_cache=use_cache)

    monkeypatch.setattr(model, "forward", plain)
    for a, b in zip(read_all(model, tokenizer), expected, strict=True):
        close(a, b)


def hooks_of(model):
    return [hook for block in block_list(model) for hook in block._forward_hooks]


def test_hooks_are_removed_between_batches_and_after_an_error(model, tokenizer):
    batches = read_activations(model, tokenizer, PROMPTS, CHOICES, batch_size=1)
    next(batches)
    assert not hooks_of(model)
    model.get_input_embeddings().forward = None
    with pytest.raises(TypeError):
        list(batches)
    assert not hooks_of(model)


def test_block_outputs_follow_every_forward_pass(model):
    with torch.no_grad(), block_outputs(model, [0, -1]) as outputs:
        for tokens in ([[5, 6, 7]], [[8, 9]]):
            model(input_ids=torch.tensor(tokens), use_cache=False)
            close(torch.cat(outputs), plain_run(model, tokens[0])[0][:, [0, -1]])


def test_all_tokens_are_read_at_the_requested_layers(model, tokenizer):
    n_read = 0
    for batch in read_token_activations(model, tokenizer, PROMPTS, [3, 1], batch_size=2):
        for i, tokens in zip(batch.index, batch.states.unbind(1), strict=True):
            ids = tokenizer(PROMPTS[i])["input_ids"]
            whole = plain_run(model, ids)[0]
            close(tokens, whole[[2, 0]])
            n_read += 1
    assert n_read == len(PROMPTS)
    assert not hooks_of(model)


@pytest.mark.parametrize("layers", [[0], [1, 99], []])
def test_a_missing_layer_is_refused(tiny_model, tokenizer, layers):
    with pytest.raises(ValueError, match="this model has"):
        read_token_activations(tiny_model("llama"), tokenizer, PROMPTS, layers)


def test_a_model_in_training_mode_is_refused(tiny_model, tokenizer):
    model = tiny_model("llama").train()
    with pytest.raises(ValueError, match="training mode"):
        read_activations(model, tokenizer, PROMPTS, CHOICES)
    with pytest.raises(ValueError, match="training mode"):
        read_token_activations(model, tokenizer, PROMPTS, [1])


def test_wrong_input_is_refused_before_the_first_forward_pass(tiny_model, tokenizer):
    model = tiny_model("llama")
    model.forward = None
    with pytest.raises(ValueError, match="share their first token"):
        read_activations(model, tokenizer, PROMPTS, [*CHOICES[:-1], (" True", " True")])
    with pytest.raises(ValueError, match="prompt '' has no tokens"):
        read_activations(model, tokenizer, ["", *PROMPTS[1:]], CHOICES)
    with pytest.raises(ValueError, match="shorter"):
        read_activations(model, tokenizer, PROMPTS, CHOICES[:-1])


def spaced_tokenizer():
    """A BPE over ▁-marked words that begins every text with <s> and a space, as Llama has one."""
    bpe = Tokenizer(BPE(unk_token="<unk>"))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    text = [*PROMPTS, "so? True", "so? False"] * 3
    special = ["<unk>", "<s>"]
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    bpe.train_from_iterator(text, trainer)
    bpe.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", bpe.token_to_id("<s>"))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", unk_token="<unk>")


@pytest.mark.parametrize("style", ["byte-level", "spaced"])
def test_answers_are_encoded_as_they_continue_a_prompt(style, tokenizer):
    tokenizer = tokenizer if style == "byte-level" else spaced_tokenizer()
    choices = (" False", " True")
    answers = answer_tokens(tokenizer, choices)
    for prompt, side in itertools.product(PROMPTS, (0, 1)):
        alone = tokenizer(prompt)["input_ids"]
        whole = tokenizer(prompt + choices[side])["input_ids"]
        assert whole[: len(alone) + 1] == [*alone, answers[side]]


def test_answers_that_share_their_first_token_are_refused(tokenizer):
    with pytest.raises(ValueError, match="' True' and ' True story' share their first token"):
        answer_tokens(tokenizer, (" True", " True story"))
    with pytest.raises(ValueError, match="answer '' has no token"):
        answer_tokens(tokenizer, ("", " True"))
