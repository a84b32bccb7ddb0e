"""What every service is made of: its process and lifecycle, settings, telemetry, health, tasks, its store."""
