"""A part of a page that is written from the code, between two comments."""

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def renewed(page: Path, name: str, content: str) -> str:
    """The page with that part as it has to be; at its end when it has none yet."""
    text, begin, end = page.read_text(), f"<!-- {name}: written by `make proto` -->", f"<!-- end of {name} -->"
    head, found, rest = text.partition(begin)
    if not found:
        head, rest = text.rstrip() + "\n\n", f"{end}\n"
    return f"{head}{begin}\n\n{content}\n\n{end}{rest.partition(end)[2]}"


def bring_up_to_date(pages: Mapping[Path, str], *, check: bool) -> int:
    """Write the pages, or with `check` say which are old; the exit code, 1 when one is."""
    old = [page for page, text in pages.items() if page.read_text() != text]
    for page in old:
        if check:
            print(f"{page.relative_to(ROOT)} is stale: make proto", file=sys.stderr)
        else:
            page.write_text(pages[page])
    return int(check and bool(old))
