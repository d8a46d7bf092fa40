"""The pages that the ``type`` of a problem leads to."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from loyalty.api.problems import CATALOGUE


@require_safe
def problems_page(request: HttpRequest) -> HttpResponse:
    """List every code, with what it means."""
    return render(request, "api/problems.html", {"problems": sorted(CATALOGUE.items())})


@require_safe
def problem_page(request: HttpRequest, code: str) -> HttpResponse:
    """Say what one code means and what to do about it."""
    meaning = CATALOGUE.get(code)
    if meaning is None:
        raise Http404
    return render(request, "api/problem.html", {"code": code, "problem": meaning})
