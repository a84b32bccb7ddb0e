"""The service git_sync: reads a Git repository; pipelines and their code bundles become facts."""
