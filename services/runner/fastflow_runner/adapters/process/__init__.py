"""The process executor: attempts as processes of this machine."""
