"""Says hello, and to whom."""

import os
import platform

name = os.environ.get("NAME", "world")
print(f"Hello, {name}!")
print(f"Python {platform.python_version()} on {platform.system()}")
