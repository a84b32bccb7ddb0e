"""When pipelines run by themselves: cron expressions, time zones, timetables and what they plan."""
