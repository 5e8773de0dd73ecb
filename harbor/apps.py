from django.apps import AppConfig


class HarborConfig(AppConfig):
    """Ties the parts together once Django stands."""

    name = "harbor"

    def ready(self) -> None:
        # Whoever sends a task, from whichever thread, finds our queue.
        from harbor import celery  # noqa: F401
