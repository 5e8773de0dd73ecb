"""Haven's settings for workers of the tests: kinds of their own, and leases that end soon."""

from harbor.settings import *  # noqa: F403

JOB_KINDS = {"WALK": "tests.jobs.work.walk"}
JOB_LEASE = 1.5
OWN_SCHEDULES = {}
