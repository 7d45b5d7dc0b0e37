"""Slow work, in the background: one bounded queue in which people take turns."""

from dashboard.jobs.manager import JobManager, QueueFullError, Status, Task, Work, sentence, stopping

__all__ = ["JobManager", "QueueFullError", "Status", "Task", "Work", "sentence", "stopping"]
