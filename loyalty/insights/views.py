"""The staff's first page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse


@login_required
def figures(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")
