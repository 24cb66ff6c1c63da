"""What higher apps have a say in; a plain call would import against the direction of the apps."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `user` and `role` before a person gets another role, and with None for it before a person is suspended,
# banned, deleted or removed, inside the transaction. A receiver raises Refused where the person is still needed, such
# as for leads that wait for an answer.
user_leaving = Signal()

# Sent with `user` and `sellers`, the person's own, when a person is removed for good, inside the transaction. A
# receiver removes what protects them, writes names down as text where rows stay, and returns how many rows of which
# model it removed.
user_removing = Signal()

# Sent with `users`, their keys, and `name`, what stands for them from now on, when people are anonymized, inside the
# transaction. A receiver replaces the names that it keeps as text.
users_anonymized = Signal()
