"""One file per outside world; none of their errors leaves this folder."""
