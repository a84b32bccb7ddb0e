"""The driver of notebooks: executes the code cells of one notebook, one after the other, in a kernel of their own.

It is started instead of the script, by the interpreter of the pipeline's environment, which holds nbclient and
ipykernel; everything else it uses is the standard library's of Python 3.10 or newer.

| module | does |
|---|---|
| `plan` | notebook and settings -> which cells are executed, and how often; pure |
| `words` | results, errors and ends in words; pure |
| `telling` | what the cells write, and lines of its own, as the run's output while it happens |
| `hiding` | no values of secrets in the executed notebook |
| `keeping` | the executed notebook, and how far it came, in files |
| `beside` | code that the kernel executes beside the cells; pure |
| `client` | nbclient, which tells what it hears and bounds what it keeps |
| `kernel` | the process in which cells are executed |
| `driving` | cell by cell, try by try, until the end |
"""
