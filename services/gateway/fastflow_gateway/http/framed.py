"""What runs made and the page shows in a frame: it may draw and run its own script there, and reach nothing."""

from mimetypes import guess_type

POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)
"""Without an origin of its own: neither cookies nor anything of ours is within its reach."""
FRAMED = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'self'",
    "Content-Disposition": "inline",
}
VIEWED = {
    "text/html",
    "text/plain",
    "text/csv",
    "text/tab-separated-values",
    "text/markdown",
    "application/json",
    "application/pdf",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/svg+xml",
}


def viewed_as(path: str) -> str:
    """The type under which a file is shown; what a browser would not show is only bytes."""
    kind = guess_type(path)[0]
    return kind if kind in VIEWED else "application/octet-stream"
