"""Upload an adapter or a data set to the Hugging Face Hub, after checking that it can work."""

from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from quirky.plugins import first_line

Kind = Literal["model", "dataset"]
"""The hub's kind of repository."""
UPLOADED_FILES: dict[Kind, tuple[str, ...]] = {
    "model": ("*.safetensors", "*.json", "*.md"),
    "dataset": ("*.parquet", "*.md"),
}
"""Patterns of the files that are uploaded; no other file leaves the folder."""
CONTENT: dict[Kind, str] = {"model": "adapter", "dataset": "data set"}

LOG_IN = "run `hf auth login`, with a token that may write, and then this again"


def require_login(name: str, kind: Kind = "model") -> str:
    """Return the full name of a new repository that the logged-in account may write to.

    Args:
        name: `name` or `owner/name`.
        kind: of the repository.

    Raises:
        ValueError: if the name is invalid or taken, nobody is logged in, or the account may not
            write there.
        RuntimeError: if the hub cannot be reached.
    """
    validate_repo_id(name)
    try:
        account = HfApi().whoami()
    except LocalTokenNotFoundError:
        raise ValueError(f"push to hub: you are not logged in; {LOG_IN}") from None
    except Exception as error:
        if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403):
            raise ValueError(f"push to hub: the hub refuses your token; {LOG_IN}") from None
        raise RuntimeError(
            f"push to hub: the hub cannot be reached: {first_line(error)}"
        ) from error
    token = account.get("auth", {}).get("accessToken", {})
    if token.get("role") == "read":
        raise ValueError(f"push to hub: your token may only read; {LOG_IN}")
    owners = [account["name"], *(group["name"] for group in account.get("orgs", []))]
    owner, _, short = name.rpartition("/")
    if owner and owner not in owners:
        raise ValueError(
            f"push to hub: you are {owners[0]!r} and may not write to {owner!r}; known: "
            f"{', '.join(owners)}"
        )
    full = f"{owner or owners[0]}/{short}"
    if HfApi().repo_exists(full, repo_type=kind):  # an existing repository is never overwritten
        raise ValueError(f"push to hub: {full!r} exists already; give a new name")
    return full


def push(folder: Path, repository: str, private: bool, kind: Kind = "model") -> str:
    """Upload an adapter or a data set with its card, and return its address.

    Raises:
        RuntimeError: one line, if the upload fails; the content stays in `folder`.
    """
    try:
        url = HfApi().create_repo(repository, private=private, repo_type=kind)
        HfApi().upload_folder(
            repo_id=repository,
            folder_path=folder,
            repo_type=kind,
            allow_patterns=list(UPLOADED_FILES[kind]),
            commit_message=f"A quirky {CONTENT[kind]} and its card",
        )
    except Exception as error:
        raise RuntimeError(
            f"the {CONTENT[kind]} is in {folder}, but the hub did not take it: "
            f"{first_line(error)}; `hf upload {repository} {folder} --repo-type {kind}` tries "
            "again"
        ) from error
    return str(url)
