"""Fingerprints depend on bytes, not on paths."""

import json

from saved_models import save, save_adapter

from finetune.models.fingerprint import adapter_fingerprint, model_fingerprint


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
