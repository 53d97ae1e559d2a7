"""Hooks of the documentation site: each example of `examples/` becomes a page with its sources.

Pages link to an example by the path that works in the repository, `../examples/NAME/README.md`.
"""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LANGUAGES = {".py": "python", ".toml": "toml"}


def on_files(files: Files, config: Any) -> Files:
    """Add the README of every example, with its Python files and pyproject.toml below it."""
    for readme in sorted(ROOT.glob("examples/*/README.md")):
        sources = [*sorted(readme.parent.glob("*.py")), readme.parent / "pyproject.toml"]
        blocks = [
            f"## {path.name}\n\n```{LANGUAGES[path.suffix]}\n{path.read_text()}```\n"
            for path in sources
        ]
        path = f"examples/{readme.parent.name}.md"
        content = "\n".join([readme.read_text(), *blocks])
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Point links to an example at its page."""
    return markdown.replace("](../examples/", "](examples/").replace(
        "-plugin/README.md)", "-plugin.md)"
    )
