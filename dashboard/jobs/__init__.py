"""Slow work, in the background: one bounded queue in which people take turns."""

from dashboard.jobs.manager import JobManager, Progress, QueueFullError, Task, Work, stopping
from dashboard.jobs.sentences import sentence
from dashboard.jobs.status import Status

__all__ = ["JobManager", "Progress", "QueueFullError", "Status", "Task", "Work", "sentence", "stopping"]
