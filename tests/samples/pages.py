"""The fenced blocks of a documentation page, and a shell in which its commands run."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    """Return the text of a page, by its path in the repository."""
    return (ROOT / name).read_text()


def blocks(text: str, language: str) -> list[str]:
    """Return the contents of the fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def languages(text: str) -> set[str]:
    """Return the languages of all fenced blocks; "" for a block that names none."""
    return set(re.findall(r"^```(\w*)\n.*?^```$", text, flags=re.MULTILINE | re.DOTALL))


def run_commands(commands: str, folder: Path, home: Path, timeout: float = 600) -> str:
    """Run shell commands in a folder as a reader would, and return what they print.

    `home` is the store. Raises AssertionError with the output if a command fails.
    """
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(":"),
        "QUIRKY_HOME": str(home),
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert process.returncode == 0, f"{commands}\n{process.stdout}\n{process.stderr}"
    return process.stdout
