"""Fingerprints depend on bytes, not on paths."""

import json

import torch
from peft import LoraConfig, get_peft_model

from finetune.architectures.lora_targets import default_targets
from finetune.models.fingerprint import adapter_fingerprint, model_fingerprint


def save(model, tokenizer, folder):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_adapter(model, folder, seed=0):
    torch.manual_seed(seed)
    settings = LoraConfig(target_modules=default_targets(model), init_lora_weights=False)
    adapted = get_peft_model(model, settings).eval()
    adapted.save_pretrained(folder)
    return adapted


def test_a_model_fingerprint_depends_on_the_bytes_and_not_the_path(tiny_model, tokenizer, tmp_path):
    a = save(tiny_model("gpt_neox"), tokenizer, tmp_path / "a")
    b = save(tiny_model("gpt_neox"), tokenizer, tmp_path / "b")
    (b / "README.md").write_text("The card does not affect hidden states.")
    assert model_fingerprint(str(a)) == model_fingerprint(str(b))
    weights = b / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert model_fingerprint(str(a)) != model_fingerprint(str(b))


def test_an_adapter_fingerprint_depends_on_weights_and_settings(tiny_model, tmp_path):
    a, b, c = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    for folder, seed in ((a, 0), (b, 0), (c, 1)):
        save_adapter(tiny_model("gpt_neox"), folder, seed)
    edit_settings(b, base_model_name_or_path="/elsewhere", shuffle=True)
    assert adapter_fingerprint(a) == adapter_fingerprint(b)
    assert adapter_fingerprint(a) != adapter_fingerprint(c)
    edit_settings(b, lora_alpha=99)
    assert adapter_fingerprint(a) != adapter_fingerprint(b)


def edit_settings(folder, shuffle=False, **settings):
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text()) | settings
    if shuffle:
        config["target_modules"].reverse()
    file.write_text(json.dumps(config))
