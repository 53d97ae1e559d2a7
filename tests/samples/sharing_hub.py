"""A hub to share adapters and data with, for tests."""

from pathlib import Path
from typing import Any


class Hub:
    """Stands for the hub's client, and remembers what it was asked."""

    def __init__(self, account: Any = None, refuses: Exception | None = None) -> None:
        self.account = account or {"name": "jane", "orgs": [{"name": "lab"}]}
        self.refuses = refuses
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.taken: list[tuple[str, str]] = []
        """Kinds and names of the repositories that are there."""

    def __call__(self) -> "Hub":
        return self

    @property
    def asked(self) -> list[str]:
        return [call for call, _ in self.calls]

    def whoami(self) -> dict[str, Any]:
        self.calls.append(("whoami", {}))
        if isinstance(self.account, Exception):
            raise self.account
        return self.account

    def repo_exists(self, repo_id: str, repo_type: str) -> bool:
        return (repo_type, repo_id) in self.taken

    def create_repo(self, repo_id: str, **settings: Any) -> str:
        self.calls.append(("create_repo", {"repo_id": repo_id, **settings}))
        return f"https://hub.example/{repo_id}"

    def upload_folder(self, **settings: Any) -> None:
        self.calls.append(("upload_folder", settings))
        if self.refuses:
            raise self.refuses

    def check_shared(self, folder: Path, kind: str, name: str, patterns: set[str]) -> None:
        """Of `folder` went what fits the patterns, after a login, to a new private repository."""
        assert self.asked == ["whoami", "create_repo", "upload_folder"]
        _, made, sent = (settings for _, settings in self.calls)
        called = {"repo_id": name, "repo_type": kind}
        assert made == {**called, "private": True}
        assert {part: sent[part] for part in called} == called
        assert Path(sent["folder_path"]) == folder
        assert set(sent["allow_patterns"]) == patterns
