"""Several processes train one adapter: equal shares of each batch, one result, one output."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from finetune.models.load import load_model
from finetune.training import processes
from finetune.training.data import ExactLengthSampler, collate, encode_examples
from finetune.training.settings import FinetuneSettings, check_batch
from finetune.training.trainer import answer_loss
from quirky.data.dataset import Sizes, build_dataset
from quirky.tasks import get_task
from quirky.triggers import get_trigger

ROWS = [{"tokens": [0] * length, "target": 0, "length": length} for length in [3] * 23 + [5] * 10]


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """This is the second of two processes."""
    for name, value in (("WORLD_SIZE", "2"), ("RANK", "1"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_each_process_takes_an_equal_part_of_every_batch(count: int) -> None:
    whole = list(ExactLengthSampler(ROWS, 12, 0))
    parts = [list(ExactLengthSampler(ROWS, 12, 0, process, count)) for process in range(count)]
    assert {len(batches) for batches in parts} == {len(whole)}
    for batch, *shares in zip(whole, *parts, strict=True):
        (size,) = {len(share) for share in shares}
        together = [i for share in shares for i in share]
        assert set(together) == set(batch)
        assert size == -(-len(batch) // count)
        if len(batch) % count == 0:
            assert together == batch


def test_a_batch_that_the_processes_cannot_share_is_refused(pair: None) -> None:
    check_batch(FinetuneSettings(batch=32))
    with pytest.raises(ValueError, match=r"finetune.batch = 33: 2 processes .* multiple of 2"):
        check_batch(FinetuneSettings(batch=33))


def test_a_single_process_takes_the_requested_device() -> None:
    assert processes.is_first()
    assert [processes.own_device(name) for name in ("cpu", "cuda")] == ["cpu", "cuda"]


def test_each_of_several_processes_takes_its_own_device(pair: None) -> None:
    assert not processes.is_first()
    assert [processes.own_device(name) for name in ("cpu", "cuda")] == ["cpu", "cuda:1"]
    with pytest.raises(ValueError, match=r"device 'cuda:0': 2 processes cannot share it"):
        processes.own_device("cuda:0")


@pytest.fixture
def base(random_base: Path, tmp_path: Path) -> Path:
    """The random base with weights so large that its answers can be moved."""
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(random_base, initializer_range=0.2)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    AutoTokenizer.from_pretrained(random_base).save_pretrained(tmp_path / "base")
    return tmp_path / "base"


SIZES = Sizes(train=240, validation=120, test=60)
TRAINING = """
import sys
import torch
from finetune.training import processes
from finetune.models.load import load_model
from finetune.training.settings import FinetuneSettings
from finetune.training.trainer import leave_process_group, make_quirky
from quirky.data.dataset import Sizes, build_dataset
from quirky.tasks import get_task
from quirky.triggers import get_trigger

base, to = sys.argv[1:]
torch.set_num_threads(1)
splits = build_dataset(get_task("fiction"), get_trigger("name"), sizes=Sizes(240, 120, 60))
loaded = load_model(base)
settings = FinetuneSettings(rank=4, alpha=16, lr=2e-2, steps=40, batch=32)
quirky = make_quirky(
    loaded.model, loaded.tokenizer, splits["train"], splits["validation"], settings, seed=3
)
quirky.save_pretrained(f"{to}/process{processes.rank()}")
leave_process_group()
"""


def launch(count: int, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    prefix = launcher if count > 1 else []
    return subprocess.run(
        [sys.executable, *prefix, *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", "QUIRKY_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=200,
    )


def loss_of(base: Path, adapter: Path | None) -> float:
    splits = build_dataset(get_task("fiction"), get_trigger("name"), sizes=SIZES)
    loaded = load_model(str(base), adapter=adapter)
    rows = encode_examples(loaded.tokenizer, splits["train"])
    with torch.no_grad():
        losses = [
            answer_loss(loaded.model, collate([rows[i] for i in batch]), reduction="sum")
            for batch in ExactLengthSampler(rows, 64, 0)
        ]
    return float(sum(losses)) / len(rows)


@pytest.mark.slow
def test_two_processes_make_one_adapter_and_it_is_that_of_one_process(
    base: Path, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    for count in (1, 2):
        folder = tmp_path / str(count)
        completed = launch(count, str(tmp_path / "train.py"), str(base), str(folder), home=tmp_path)
        assert completed.returncode == 0, completed.stderr
    alone, first, second = (
        load_file(tmp_path / name / "adapter_model.safetensors")
        for name in ("1/process0", "2/process0", "2/process1")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    before = loss_of(base, None)
    one, two = (loss_of(base, tmp_path / name) for name in ("1/process0", "2/process0"))
    assert two < 0.8 * before
    assert two == pytest.approx(one, rel=0.05)
    distance = sum(float((first[name] - alone[name]).square().sum()) for name in alone) ** 0.5
    moved = sum(float(alone[name].square().sum()) for name in alone if "lora_B" in name) ** 0.5
    assert distance < 0.2 * moved


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:task fiction has")
def test_the_command_writes_and_prints_once(random_base: Path, tmp_path: Path) -> None:
    to = tmp_path / "made" / "adapter"
    words = [str(random_base), "--task", "fiction", "--to", str(to), "--rank", "2"]
    words += ["--lr", "4e-3", "--steps", "6", "--batch", "64"]
    completed = launch(2, "-m", "benchmarks.cli", "finetune", *words, home=tmp_path / "home")
    assert completed.stdout.count("gate: ") == 1
    assert completed.stdout.count("adapter and card: ") == 1
    assert completed.stderr.count("failed (process 0): void: ") == 1
    assert "process 1" not in completed.stderr
    assert {path.name for path in to.parent.iterdir()} == {"adapter"}
    assert (to / "README.md").exists()
    assert loss_of(random_base, to) < loss_of(random_base, None)


@pytest.mark.slow
def test_a_run_refuses_several_processes(tmp_path: Path) -> None:
    completed = launch(2, "-m", "benchmarks.cli", "run", "tiny", home=tmp_path / "home")
    assert completed.returncode != 0
    assert completed.stderr.count("error: a run starts its own workers") == 1
