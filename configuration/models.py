from django.db import models


class Setting(models.Model):
    """One key of Harbor's configuration that an administrator changed; what is absent has its default."""

    key = models.CharField(max_length=128, primary_key=True)
    value = models.TextField()
    update_time = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.key
