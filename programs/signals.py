"""News that this room sends upwards."""

from django.dispatch import Signal

# Sent as ``version_published.send(sender=ProgramVersion, version=version)``, inside the transaction that publishes.
version_published = Signal()

# Sent as ``state_changed.send(sender=Program, program=program, at=moment, ended=end)``, inside the transaction that
# pauses, closes or goes on with it; ``ended`` is the end that a close had, where it is undone.
state_changed = Signal()

# Sent as ``outstanding_asked.send(sender=Program, program=program)`` before staff pause or close a program: each room
# answers with a list of ``programs.outstanding.Outstanding``, what its rows still promise.
outstanding_asked = Signal()
