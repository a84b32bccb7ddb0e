"""Works for a moment, then finds that something is missing."""

import sys

print("checking the order book")
orders = {"4711": 12.5}
try:
    print(orders["4712"])
except KeyError:
    print("order 4712 is missing", file=sys.stderr)
    raise
