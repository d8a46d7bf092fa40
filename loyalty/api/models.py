"""Answers kept for a client that repeats a request with the same Idempotency-Key."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.ids import new_id
from programs.models import Program


class StoredAnswer(models.Model):
    """The answer once given under an Idempotency-Key; without a status while the first request is in flight."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="api_storedanswer_age")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "key"], name="api_storedanswer_key_unique"),
        ]

    def __str__(self) -> str:
        return self.key
