"""Words that somebody looks for, as the word index takes them. Pure."""

from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.words import words_in


def match_of(wanted: RunFilter) -> str:
    """Every word, the last one as the beginning of one; with those of the one pipeline that is asked for."""
    *whole, last = wanted.words
    own = words_in(wanted.pipelines[0]) if len(wanted.pipelines) == 1 else []
    words = [f'"{word}"' for word in dict.fromkeys((*whole, *own))]
    return " AND ".join([*words, f'"{last}" *'])
