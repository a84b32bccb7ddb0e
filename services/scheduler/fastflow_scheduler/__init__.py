"""The scheduler: decides whether and when a run starts, and says when it is over."""
