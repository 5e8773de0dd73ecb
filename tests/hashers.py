from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """Argon2 as Haven uses it, cheap enough for a test that makes twenty users."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1


class CountingArgon2(QuickArgon2):
    """The same, telling how often it was asked whether a password is right."""

    checks = 0

    def verify(self, password: str, encoded: str) -> bool:
        CountingArgon2.checks += 1
        return super().verify(password, encoded)
