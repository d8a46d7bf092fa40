"""What a browser would send back from an admin page."""

from __future__ import annotations

from typing import Any


def form_of(response: Any) -> dict[str, Any]:
    """Return the fields of a page's form and of its rows, as they stand."""
    data: dict[str, Any] = {}
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for field in form:
            value = field.value()
            if value is not None and value is not False:
                data[field.html_name] = [str(one) for one in value] if isinstance(value, list) else str(value)
    return data


def with_row(data: dict[str, Any], prefix: str, **row: Any) -> dict[str, Any]:
    """Return the fields with one more row of a list."""
    count = int(data[f"{prefix}-TOTAL_FORMS"])
    added = {f"{prefix}-{count}-{name}": value for name, value in row.items()}
    return {**data, f"{prefix}-TOTAL_FORMS": str(count + 1), **added}
