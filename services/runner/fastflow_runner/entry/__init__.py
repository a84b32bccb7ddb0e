"""The entry program: the first process of every container, and of every run of the process executor.

It is started as a folder, `python3 -I .../entry MODE`, by an interpreter that knows nothing of this package's
dependencies, so everything below uses the standard library only and imports little; but for the driver of notebooks,
which is started by the interpreter of an environment that holds what it needs.

| mode | reads from standard input | does |
|---|---|---|
| `run` | the sealed specification | copies the code, starts the script once, carries its output, writes the markers |
| `stage` | a sealed header and a sealed tar archive | unpacks code into the shared volume |
| `verify` | a sealed order | looks through what is there, and changes nothing |
| `prepare` | a sealed order, and wheels behind it | makes an environment with uv |
| `fetch` | a sealed order | resolves packages, and downloads the wheels that the store has not |
| `build` | a sealed order | makes wheels of packages that come as sources |
| `notebook ORDER` | nothing | executes a notebook's cells; started by mode `run` in the place of the script |
"""
