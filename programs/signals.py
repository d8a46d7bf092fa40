"""News that this room sends upwards."""

from django.dispatch import Signal

# Sent as ``version_published.send(sender=ProgramVersion, version=version)``, inside the transaction that publishes.
version_published = Signal()
