"""Errors with which the hub refuses to answer."""

from types import SimpleNamespace

from huggingface_hub.errors import HfHubHTTPError


def refusal(kind: type[HfHubHTTPError], status: int) -> HfHubHTTPError:
    """Return an error of the hub's client, with a message of two lines."""
    request = SimpleNamespace(method="GET", url="https://hub.invalid")
    response = SimpleNamespace(status_code=status, headers={}, request=request)
    return kind(f"{status} says the hub\nand much more", response=response)  # type: ignore[arg-type]
