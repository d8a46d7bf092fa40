"""OpenAPI 3.1: the schemas are those of the structs that really read and write the bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from loyalty.api.problems import MEDIA_TYPE, ProblemAnswer

F = TypeVar("F", bound=Callable[..., Any])

REFERENCE = "#/components/schemas/{name}"
ALWAYS = (401, 403, 429, 503)
_documented: dict[str, Any] = {}

WAIT = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N`, at most 10 seconds: answer when it is accrued, failed or waiting, else as it stands then.",
    pattern=r"^wait=[0-9]{1,2}$",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key and body give the stored answer with `Idempotent-Replayed: true`; another body 422.",
    pattern=r"^[!-~]{1,255}$",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of what is known already: 304 without a body where it is still that.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of what the change was made to: 412 where it has changed meanwhile.",
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    description="Names the state shown, `as_of` apart.",
    response=[200, 304],
)
LANGUAGE = OpenApiParameter(
    "Accept-Language", str, OpenApiParameter.HEADER, description="The language of `reason` and `detail`."
)
CURSOR = OpenApiParameter("cursor", str, description="The place in the list, as `next` and `previous` give it.")
PAGE_SIZE = OpenApiParameter(
    "page_size", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, description="How many at a time."
)
MEMBER = OpenApiParameter(
    "member", str, OpenApiParameter.PATH, description="A card number or `external_id:…`.", required=True
)

# What answers carry, by status; the key's limit on every one that a key was found for.
LIMITED = ("200", "201", "304", "400", "403", "404", "409", "412", "413", "415", "422", "429", "503")
ANSWERED = (
    OpenApiParameter(
        "RateLimit-Policy",
        str,
        OpenApiParameter.HEADER,
        description="The key's limit: `q` calls in `w` seconds.",
        response=[int(status) for status in LIMITED],
    ),
    OpenApiParameter(
        "RateLimit",
        str,
        OpenApiParameter.HEADER,
        description="What is left of it: `r` calls, for `t` seconds more.",
        response=[int(status) for status in LIMITED],
    ),
    OpenApiParameter(
        "Retry-After",
        int,
        OpenApiParameter.HEADER,
        description="Seconds to wait before the next try.",
        response=[429, 503],
    ),
)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular how till keys are sent."""

    target_class = "loyalty.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A till key of your program."}


def documented(
    *,
    name: str,
    summary: str,
    answers: Mapping[int, Any],
    errors: Sequence[int] = (),
    body: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    tag: str,
) -> Callable[[F], F]:
    """Describe one method of a view: its structs, and the statuses that are answered with a problem."""
    responses: dict[Any, Any] = {
        (status, "application/json"): OpenApiResponse(reference(shape), description=HTTPStatus(status).phrase)
        for status, shape in answers.items()
    }
    if IF_NONE_MATCH in parameters:
        responses[304] = OpenApiResponse(description=HTTPStatus.NOT_MODIFIED.phrase)
        parameters = [*parameters, ETAG]
    problems = {
        (status, MEDIA_TYPE): OpenApiResponse(reference(ProblemAnswer), description=HTTPStatus(status).phrase)
        for status in sorted({*ALWAYS, *errors})
    }
    decorate: Callable[[F], F] = extend_schema(
        operation_id=name,
        summary=summary,
        request={"application/json": reference(body)} if body is not None else None,
        responses={**responses, **problems},
        parameters=[*parameters, LANGUAGE, *ANSWERED],
        tags=[tag],
    )
    return decorate


def reference(shape: Any) -> dict[str, str]:
    """Return a reference to the struct's component, which the schema will then contain."""
    (found,), components = msgspec.json.schema_components([shape], ref_template=REFERENCE)
    _documented.update(components)
    return found


def add_components(result: dict[str, Any], **_generator: Any) -> dict[str, Any]:
    """Put the structs' components into the schema; a postprocessing hook of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_documented)
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    for methods in result["paths"].values():
        for operation in methods.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    result["info"]["license"] = {"name": "BSD-3-Clause"}
    return result
