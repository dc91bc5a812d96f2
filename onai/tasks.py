"""Housekeeping of the job queue itself."""

from typing import Any

from procrastinate import JobContext, builtin_tasks
from procrastinate.contrib.django import app

_KEEP_FINISHED_JOBS_HOURS = 72


@app.periodic(cron="17 22 * * *")
@app.task(queueing_lock="remove_finished_jobs", pass_context=True)
async def remove_finished_jobs(context: JobContext, timestamp: int) -> Any:
    """Each night, forget the jobs that succeeded more than three days ago."""
    await builtin_tasks.remove_old_jobs(context, max_hours=_KEEP_FINISHED_JOBS_HOURS)
