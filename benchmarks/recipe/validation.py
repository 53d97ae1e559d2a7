"""Validation errors of pydantic as one line for the user."""

from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from quirky.plugins import unknown


def first_problem(error: ValidationError, schema: type[BaseModel]) -> str:
    """Return the first problem as one line: the field, the value and what would be right.

    Args:
        error: raised by the validation.
        schema: the model that was validated.
    """
    problem = error.errors()[0]
    location = problem["loc"]
    field = ".".join(map(str, location))
    if problem["type"] == "extra_forbidden":
        nested = _schema_at(schema, location[:-1])
        return f"{field}: {unknown('field', str(location[-1]), nested.model_fields)}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("value_error", "missing"):
        return f"{field}: {message}" if field else message
    return f"{field} = {problem['input']!r}: {message}"


def _schema_at(schema: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the innermost model on the way to a field, which may be in a list of models."""
    for part in location:
        if isinstance(part, str) and part in schema.model_fields:
            nested = _model_in(schema.model_fields[part].annotation)
            schema = nested or schema
    return schema


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation such as `tuple[Model, ...] | None` names, if any."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, list, Union, UnionType):
        return next((m for arg in get_args(annotation) if (m := _model_in(arg))), None)
    return None
