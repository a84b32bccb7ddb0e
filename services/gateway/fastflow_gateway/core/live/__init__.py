"""What a live stream decides: what is kept for its readers, when one looks, where a reader is. Pure."""
