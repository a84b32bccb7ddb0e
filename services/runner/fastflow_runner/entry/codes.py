"""Exit codes of the modes that make what runs need: what whoever ordered it is to do next."""

REFUSED = 3
"""It cannot be had, however often one asks."""
OUTAGE = 4
"""It cannot be had now, or the order did not arrive completely; asking again later may help."""
NEEDS_BUILD = 5
"""Packages have to be built from their sources, which is done elsewhere."""
NOT_STAGED = 6
"""The code is gone, and has to be staged again."""
NEEDS_FETCH = 7
"""Packages have to be downloaded, which is done elsewhere."""
NEEDS_PYTHON = 8
"""The interpreter has to be installed, which is done elsewhere."""
TOO_LARGE = 9
"""It took more of the disk than it may, and was ended; how much that is are its last words."""
