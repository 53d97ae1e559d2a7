"""Put an adapter or data on the Hugging Face hub, or find out beforehand why that will not work."""

from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from quirky.plugins import first_line

Kind = Literal["model", "dataset"]
"""What the hub calls its repositories."""
PUBLISHED: dict[Kind, tuple[str, ...]] = {
    "model": ("*.safetensors", "*.json", "*.md"),
    "dataset": ("*.parquet", "*.md"),
}
"""Nothing else leaves the folder."""
CALLED: dict[Kind, str] = {"model": "adapter", "dataset": "data set"}

LOG_IN = "run `hf auth login`, with a token that may write, and then this again"


def require_login(name: str, kind: Kind = "model") -> str:
    """Return the full name of the repository that `name` stands for, if its owner is logged in.

    Raises:
        ValueError: if the name is none that the hub allows or is taken, nobody is logged in, or who
            is may not write there.
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
    if HfApi().repo_exists(
        full, repo_type=kind
    ):  # what is there may be public, and is not ours to overwrite
        raise ValueError(f"push to hub: {full!r} is there already; give a new name")
    return full


def push(folder: Path, repository: str, private: bool, kind: Kind = "model") -> str:
    """Upload an adapter or a data set with its card, and return the address where they are.

    Raises:
        RuntimeError: in one line, if the hub does not take them; they stay in `folder`.
    """
    try:
        made = HfApi().create_repo(repository, private=private, repo_type=kind)
        HfApi().upload_folder(
            repo_id=repository,
            folder_path=folder,
            repo_type=kind,
            allow_patterns=list(PUBLISHED[kind]),
            commit_message=f"A quirky {CALLED[kind]} and its card",
        )
    except Exception as error:
        raise RuntimeError(
            f"the {CALLED[kind]} is in {folder}, but the hub did not take it: "
            f"{first_line(error)}; `hf upload {repository} {folder} --repo-type {kind}` tries "
            "again"
        ) from error
    return str(made)
