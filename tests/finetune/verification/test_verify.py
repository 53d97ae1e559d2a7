from pathlib import Path

import pytest
import torch

from finetune.architectures.blocks import block_list
from finetune.reading.forward import logits_and_states
from finetune.verification import verify as verifying
from finetune.verification.tiny_families import TINY_FAMILIES, tiny_model
from finetune.verification.verify import TOLERANCE, residual_error, verify_family

MODELS_PAGE = Path(__file__).parents[3] / "docs" / "models.md"


def row(report):
    """A line of the family table without its last column."""
    targets = ", ".join(f"`{target}`" for target in report.targets)
    return f"| {report.family} | {report.blocks} | {targets} | {'; '.join(report.sites)} |"


@pytest.mark.parametrize("family", TINY_FAMILIES)
def test_the_family_table_of_the_models_page_matches_the_reports(family):
    report = verify_family(family)
    assert report.error < TOLERANCE
    assert not report.refusal
    (line,) = (w for w in MODELS_PAGE.read_text().splitlines() if w.startswith(f"| {family} |"))
    assert line.startswith(row(report))


def test_a_family_whose_states_depend_on_the_batch_is_refused(monkeypatch):
    def leaky(family, **settings):
        model = tiny_model(family, **settings)

        def look(_module, _args, output):
            hidden = output[0] if isinstance(output, tuple) else output
            return hidden + 1e-3 * hidden.mean(0)

        block_list(model)[1].register_forward_hook(look)
        return model

    monkeypatch.setattr(verifying, "tiny_model", leaky)
    report = verify_family("gpt2")
    assert report.error > TOLERANCE
    assert report.refusal == f"values that must be equal differ by {report.error:.1e}"


def test_a_family_with_nan_states_is_refused(monkeypatch):
    def broken(family, **settings):
        model = tiny_model(family, **settings)
        torch.nn.init.constant_(next(block_list(model)[1].parameters()), torch.nan)
        return model

    monkeypatch.setattr(verifying, "tiny_model", broken)
    assert verify_family("gpt2").refusal == "values that must be equal differ by inf"


def test_a_model_that_attends_to_later_tokens_has_an_error():
    model = tiny_model("gpt2")

    def look(_module, _args, output):
        hidden = output[0] if isinstance(output, tuple) else output
        return hidden + 1e-3 * hidden.mean(1, keepdim=True)

    block_list(model)[0].register_forward_hook(look)
    assert residual_error(model) > TOLERANCE


def test_a_family_without_blocks_is_refused_with_the_reason(monkeypatch):
    def blockless(family, **settings):
        model = tiny_model(family)
        model.config.num_hidden_layers = 9
        return model

    monkeypatch.setattr(verifying, "tiny_model", blockless)
    report = verify_family("llama")
    assert report.refusal == "LlamaForCausalLM has no list of blocks of length num_hidden_layers=9"
    assert report.blocks == ""


def test_the_last_state_is_taken_before_the_final_norm():
    model = tiny_model("gpt_neox")
    with torch.no_grad():
        before = logits_and_states(model, [[3, 4, 5]], [-1])[1]
        model.gpt_neox.final_layer_norm.weight.add_(1)
        after = logits_and_states(model, [[3, 4, 5]], [-1])[1]
    assert torch.equal(before, after)
