"""Password hashes that came from older systems."""

from __future__ import annotations

from django.contrib.auth.hashers import BCryptPasswordHasher

BCRYPT_LONGEST = 72  # bytes; what follows never counted, and the library refuses it


class ImportedBcryptHasher(BCryptPasswordHasher):
    """Verifies plain ``$2a$`` and ``$2b$`` hashes, stored with the prefix ``bcrypt$``; new passwords never use it."""

    def verify(self, password: str, encoded: str) -> bool:
        if len(password.encode()) > BCRYPT_LONGEST:
            return False
        try:
            return super().verify(password, encoded)
        except ValueError:
            # The hash has the right length and letters, but no password can have made it.
            return False
