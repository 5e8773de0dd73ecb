from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """Argon2 as Haven uses it, cheap enough for a test that makes twenty users."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
