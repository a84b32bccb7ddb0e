"""Who provides what git_sync needs: Git, the object store, SQLite."""
