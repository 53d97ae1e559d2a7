"""Published adapters in any layout turn the weights into W + scale B A, kept or merged."""

import json
import math
import re
from unittest.mock import Mock

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn

from finetune.adapters.loading import (
    adapter_base,
    adapter_folder,
    apply_adapter,
    check_adapter_fits,
    is_adapter,
)
from finetune.architectures.lora_targets import bypassed_modules
from finetune.hub import client as hub
from finetune.hub.client import hub_file
from finetune.models import load as models
from finetune.models.fingerprint import adapter_fingerprint
from finetune.models.load import load_model
from finetune.models.skeleton import load_skeleton

PUBLISHED = ["x_proj", "embeddings", "in_proj", "out_proj"]
"""The targets of the published quirky Mamba adapters."""
WHOLE = {
    "gpt_neox": ["query_key_value", "dense_4h_to_h", "embed_in"],
    "llama": ["q_proj", "down_proj", "embed_tokens"],
    "gpt2": ["c_attn", "c_fc", "wte"],
}
"""Layouts that peft takes: linear layers (GPT-2's are Conv1D) and embeddings."""
IDS = torch.arange(14).view(2, 7) * 5


def logits(model):
    with torch.inference_mode():
        return model(input_ids=IDS, use_cache=False).logits


def by_hand(model, tensors, scale):
    """The model with W + scale B A in place of W, module by module."""
    for name, a in tensors.items():
        if "lora_A" in name or "embedding_A" in name:
            b = tensors[name.replace("_A", "_B")]
            module = model.get_submodule(
                name.removeprefix("base_model.model.").rpartition(".lora_")[0]
            )
            change = scale * (b @ a)
            change = change.T if isinstance(module, nn.Embedding) else change
            module.weight = nn.Parameter(module.weight.detach() + change)
    return model


@pytest.fixture
def mamba(tiny_model, tokenizer, tmp_path):
    """A tiny Mamba with a tied head, saved."""
    model = tiny_model("mamba", tie_word_embeddings=True)
    model.save_pretrained(tmp_path / "mamba")
    tokenizer.save_pretrained(tmp_path / "mamba")
    return model


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "adapter"


def edit(folder, rename=None, **settings):
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    if rename:
        tensors = load_file(folder / "adapter_model.safetensors")
        save_file(rename(tensors), folder / "adapter_model.safetensors")


@pytest.mark.parametrize("rslora", [False, True])
def test_a_published_mamba_adapter_is_merged(mamba, raw_adapter, folder, tmp_path, rslora):
    tensors = raw_adapter(mamba, folder, PUBLISHED, rank=4, use_rslora=rslora)
    assert len(tensors) == 2 * (1 + 3 * 3)
    loaded = load_model(str(tmp_path / "mamba"), adapter=folder).model
    assert not isinstance(loaded, PeftModel)
    head = mamba.get_output_embeddings().weight.clone()
    assert loaded.get_output_embeddings().weight.equal(head)
    assert not loaded.get_input_embeddings().weight.equal(head)
    before = logits(mamba)
    expected = logits(by_hand(mamba, tensors, 8 / (math.sqrt(4) if rslora else 4)))
    torch.testing.assert_close(logits(loaded), expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(before, expected, atol=1e-2)


def test_peft_refuses_that_layout(mamba, raw_adapter, folder):
    """If peft ever accepts it, such adapters need not be merged."""
    raw_adapter(mamba, folder, PUBLISHED)
    with pytest.raises(ValueError, match="incompatible with Mamba"):
        PeftModel.from_pretrained(mamba, folder)


def test_a_merged_model_is_saved_with_its_own_head(mamba, raw_adapter, folder, tmp_path):
    raw_adapter(mamba, folder, PUBLISHED)
    loaded = load_model(str(tmp_path / "mamba"), adapter=folder)
    assert mamba.config.tie_word_embeddings
    assert not loaded.model.config.tie_word_embeddings
    loaded.model.save_pretrained(tmp_path / "merged")
    loaded.tokenizer.save_pretrained(tmp_path / "merged")
    again = load_model(str(tmp_path / "merged")).model
    torch.testing.assert_close(logits(again), logits(loaded.model))


def test_modules_that_the_kernels_bypass_need_merging(mamba, tiny_model):
    names = ["backbone.layers.0.mixer.x_proj", "backbone.layers.0.mixer.in_proj"]
    assert bypassed_modules(mamba, names) == names[:1]
    assert bypassed_modules(tiny_model("llama"), ["model.layers.0.out_proj"]) == []


@pytest.mark.parametrize("family", WHOLE)
def test_merged_equals_separate(tiny_model, tokenizer, folder, tmp_path, family, monkeypatch):
    """If peft accepts an adapter, merging it gives the same model, a tied head included."""
    targets = WHOLE[family]
    settings = LoraConfig(
        r=4,
        lora_alpha=3,
        target_modules=targets,
        rank_pattern={targets[0]: 2},
        alpha_pattern={targets[1]: 7, "layers.0.*": 5},
        fan_in_fan_out=family == "gpt2",
        init_lora_weights=False,
    )
    model = tiny_model(family, tie_word_embeddings=True)
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    plain = logits(model)
    get_peft_model(model, settings).save_pretrained(folder)
    separate = load_model(str(tmp_path / "base"), adapter=folder).model
    assert isinstance(separate, PeftModel)
    monkeypatch.setattr("finetune.adapters.loading.requires_merging", lambda *_: True)
    merged = load_model(str(tmp_path / "base"), adapter=folder).model
    assert not isinstance(merged, PeftModel)
    torch.testing.assert_close(logits(merged), logits(separate), atol=2e-5, rtol=1e-4)
    assert not torch.allclose(logits(separate), plain, atol=1e-2)


def test_half_precision_is_merged_in_float32(mamba, raw_adapter, folder, tmp_path):
    tensors = raw_adapter(mamba, folder, ["out_proj"], rank=4)
    name = "backbone.layers.1.mixer.out_proj"
    half = load_model(str(tmp_path / "mamba"), adapter=folder, dtype=torch.bfloat16).model
    a, b = (tensors[f"base_model.model.{name}.lora_{x}.weight"] for x in "AB")
    base = mamba.get_submodule(name).weight.detach().bfloat16().float()
    assert half.get_submodule(name).weight.equal((base + 2 * (b @ a)).bfloat16())


def test_an_embedding_stored_with_the_adapter_replaces_that_of_the_base(
    mamba, raw_adapter, folder, tmp_path
):
    """peft stores it if the vocabulary was changed or it knows the embedding's name."""
    tensors = raw_adapter(mamba, folder, ["embeddings", "out_proj"], rank=4)
    prefix = "base_model.model.backbone.embeddings."
    embedding = torch.randn(300, 32, generator=torch.Generator().manual_seed(1))
    edit(folder, lambda tensors: tensors | {f"{prefix}base_layer.weight": embedding})
    loaded = load_model(str(tmp_path / "mamba"), adapter=folder).model
    a, b = (tensors[f"{prefix}lora_embedding_{x}"] for x in "AB")
    expected = embedding + 2 * (b @ a).T
    torch.testing.assert_close(loaded.get_input_embeddings().weight.detach(), expected)
    # The head, tied to the base's embedding, gets the new weights but not the LoRA.
    torch.testing.assert_close(loaded.get_output_embeddings().weight.detach(), embedding)


def test_merging_into_offloaded_weights_is_refused(mamba, raw_adapter, folder):
    raw_adapter(mamba, folder, ["out_proj"])
    with pytest.raises(ValueError, match="that `device_map` keeps off the device"):
        apply_adapter(mamba.to("meta"), folder)


def drop(part):
    return lambda tensors: {k: v for k, v in tensors.items() if part not in k}


def with_odd_name(tensors):
    first, *rest = tensors
    return {"base_model.model.backbone.nowhere.lora_A.weight": tensors[first]} | {
        name: tensors[name] for name in rest
    }


@pytest.mark.parametrize(
    ("settings", "rename", "message"),
    [
        ({}, with_odd_name, "no module for tensor 'base_model.model.backbone.nowhere.lora_A"),
        ({}, drop("0.mixer.in_proj.lora_B"), "'backbone.layers.0.mixer.in_proj' has no lora_B"),
        ({}, drop("layers.2.mixer.in_proj"), "no tensors for 'backbone.layers.2.mixer.in_proj'"),
        (
            {},
            lambda t: t | {"extra.bias": torch.ones(1)},
            "tensor 'extra.bias' is not a LoRA",
        ),
        ({"r": 3}, None, "has the shape (4, 300); this model needs (3, 300) at rank 3"),
        ({"use_dora": True}, None, "not supported with use_dora = True"),
        ({"bias": "all"}, None, "not supported with bias = 'all'"),
        ({"modules_to_save": ["lm_head"]}, None, "modules_to_save = ['lm_head']"),
        ({"init_lora_weights": "pissa"}, None, "init_lora_weights = 'pissa'"),
        ({"layer_replication": [[0, 3], [1, 3]]}, None, "layer_replication is set"),
        ({"peft_type": "IA3"}, None, "peft_type = 'IA3'; only 'LORA' is supported"),
        ({"peft_type": None}, None, "peft_type = None"),
        ({"r": None}, None, "r = None; give a whole number"),
    ],
)
def test_an_adapter_that_cannot_be_merged_is_refused_without_weights(
    mamba, raw_adapter, folder, tmp_path, monkeypatch, settings, rename, message
):
    monkeypatch.delattr(models.AutoModelForCausalLM, "from_pretrained")
    raw_adapter(mamba, folder, PUBLISHED, rank=4)
    edit(folder, rename, **settings)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        load_model(str(tmp_path / "mamba"), adapter=folder)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_convolution_cannot_be_merged(mamba, raw_adapter, folder, tmp_path):
    raw_adapter(mamba, folder, ["out_proj"])
    name = "base_model.model.backbone.layers.0.mixer.conv1d.lora_A.weight"
    edit(folder, lambda tensors: tensors | {name: torch.ones(8, 48)})
    with pytest.raises(ValueError, match="is Conv1d; an adapter can be merged into Linear, Conv1D"):
        check_adapter_fits(load_skeleton(str(tmp_path / "mamba")), folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_hidden_layers": 4}, "lacks the tensor .*layers.3.*query_key_value"),
        ({"num_hidden_layers": 2}, "no place for its tensor .*layers.2.*query_key_value"),
        ({"hidden_size": 48}, "size mismatch for .*query_key_value"),
    ],
)
def test_an_adapter_of_another_base_is_refused_without_weights(
    tiny_model, tokenizer, raw_adapter, folder, tmp_path, monkeypatch, change, message
):
    raw_adapter(tiny_model("gpt_neox"), folder, ["query_key_value"])
    tiny_model("gpt_neox", **change).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    monkeypatch.delattr(models.AutoModelForCausalLM, "from_pretrained")
    with pytest.raises(ValueError, match=message) as error:
        load_model(str(tmp_path / "base"), adapter=folder)
    assert "\n" not in str(error.value)


def test_an_adapter_of_another_family_is_refused(mamba, tiny_model, raw_adapter, folder, tmp_path):
    raw_adapter(tiny_model("gpt_neox"), folder, ["query_key_value"])
    with pytest.raises(ValueError, match=r"Target modules .* not found"):
        check_adapter_fits(load_skeleton(str(tmp_path / "mamba")), folder)


def test_a_check_does_not_affect_later_skeletons(tiny_model, mamba, raw_adapter, folder, tmp_path):
    raw_adapter(mamba, folder, ["in_proj"])
    check_adapter_fits(load_skeleton(str(tmp_path / "mamba")), folder)
    names = {name for name, _ in load_skeleton(str(tmp_path / "mamba")).named_parameters()}
    assert names == {name for name, _ in mamba.named_parameters()}


def test_weights_in_a_pickle_are_refused_with_the_reason(mamba, raw_adapter, folder, tmp_path):
    raw_adapter(mamba, folder, PUBLISHED)
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(ValueError, match=r"pickle \(adapter_model.bin\) are never loaded"):
        check_adapter_fits(load_skeleton(str(tmp_path / "mamba")), folder)


def test_damaged_weights_are_one_line(mamba, raw_adapter, folder, tmp_path):
    raw_adapter(mamba, folder, PUBLISHED)
    (folder / "adapter_model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(ValueError, match=r"adapter_model\.safetensors cannot be read") as error:
        check_adapter_fits(load_skeleton(str(tmp_path / "mamba")), folder)
    assert "\n" not in str(error.value)


def test_an_adapter_must_be_a_folder_or_a_hub_id():
    with pytest.raises(ValueError, match="'a/b/c' is neither a folder nor a hub id"):
        adapter_folder("a/b/c")


class Hub:
    """A stand-in for the hub's client: repositories are folders, with one folder a commit."""

    def __init__(self, root):
        self.root = root
        self.requests = []

    def __call__(self, repo, file, *, revision, local_files_only):
        self.requests.append((repo, file, revision))
        snapshot = self.root / repo / "snapshots" / (revision or "c0")
        if not (self.root / repo).is_dir():
            raise OSError(f"401 Client Error.\nRepository Not Found for {repo}")
        if not (snapshot / file).is_file():
            raise hub.RemoteEntryNotFoundError(f"404: {file}", response=Mock())
        return str(snapshot / file)


@pytest.fixture
def online(monkeypatch, tmp_path):
    """A hub in a folder."""
    hub_file.cache_clear()
    client = Hub(tmp_path / "hub")
    monkeypatch.setattr(hub, "hf_hub_download", client)
    yield client
    hub_file.cache_clear()


def test_a_hub_adapter_is_read_at_one_commit(online, mamba, raw_adapter, folder, tmp_path):
    snapshots = tmp_path / "hub" / "org" / "name" / "snapshots"
    tensors = raw_adapter(mamba, snapshots / "c0", PUBLISHED)
    raw_adapter(mamba, snapshots / "c1", PUBLISHED, lora_alpha=9)
    raw_adapter(mamba, folder, PUBLISHED)
    loaded = load_model(str(tmp_path / "mamba"), adapter="org/name").model
    expected = logits(by_hand(mamba, tensors, 1))
    torch.testing.assert_close(logits(loaded), expected, atol=1e-5, rtol=1e-5)
    assert set(online.requests) == {
        ("org/name", "adapter_config.json", None),
        ("org/name", "adapter_model.safetensors", "c0"),
    }
    assert adapter_fingerprint("org/name") == adapter_fingerprint(folder)
    assert adapter_fingerprint("org/name@c1") != adapter_fingerprint("org/name")


def test_adapters_are_told_from_models(online, mamba, raw_adapter, tmp_path):
    raw_adapter(mamba, tmp_path / "hub" / "org" / "adapter" / "snapshots" / "c0", PUBLISHED)
    (tmp_path / "hub" / "org" / "model").mkdir()
    assert is_adapter("org/adapter")
    assert not is_adapter("org/model")
    assert not is_adapter("org/nothing")
    assert not is_adapter(str(tmp_path / "mamba"))
    with pytest.raises(ValueError, match=r"'org/model' has no adapter_config\.json"):
        adapter_folder("org/model")


def test_a_hub_adapter_that_cannot_be_read_is_one_line(online):
    with pytest.raises(ValueError, match="'org/nothing' cannot be read from the hub: 401") as error:
        adapter_folder("org/nothing")
    assert "\n" not in str(error.value)


def test_an_adapter_names_its_base(mamba, raw_adapter, folder):
    raw_adapter(mamba, folder, PUBLISHED, base_model_name_or_path="org/base", revision="v1")
    assert adapter_base(folder) == ("org/base", "v1")
