"""A throw-away environment, to install packages in."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

MAIN = "from benchmarks.cli import main; main()"


class Environment:
    """A fresh environment that sees this one's packages, with packages of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "env", with_pip=False)
        self.python = folder / "env" / "bin" / "python"
        (site,) = (folder / "env").glob("lib/*/site-packages")
        seen = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
        added = "; ".join(f"site.addsitedir({path!r})" for path in sorted(seen))
        (site / "seen.pth").write_text(f"import site; {added}\n")

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python in its folder."""
        settings = {
            "QUIRKY_HOME": str(self.folder / "home"),
            "WANDB_MODE": "offline",
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
        }
        return subprocess.run(
            [self.python, *words],
            cwd=self.folder,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            timeout=500,
        )

    def quirky(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command `quirky`."""
        return self.run("-c", MAIN, *words)

    def install(self, package: Path) -> None:
        """Install a copy of a package, with nothing from elsewhere."""
        copy = shutil.copytree(package, self.folder / package.name)
        offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
        pip = (sys.executable, "-m", "pip", "--python", self.python, "install", *offline)
        subprocess.run([*pip, copy], check=True, timeout=300)
