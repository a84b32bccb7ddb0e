"""The command `fastflow`: an installation on one machine, and everything people type at one."""
