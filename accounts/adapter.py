"""How allauth behaves here: nobody signs up by themselves; one is enrolled by a shop or invited."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """The project's answers to allauth's questions."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
