"""Start the command: the only place that turns errors into words and exit codes."""

import logging
import sys
from collections.abc import Sequence

from cyclopts import CycloptsError
from fastflow_events.errors import ContractError, FastflowError, InfrastructureError, SettingsError

from fastflow_cli import streams
from fastflow_cli.app import GROUPS, build
from fastflow_cli.console import err, fail, out
from fastflow_cli.errors import CliError
from fastflow_cli.exits import Exit

HELP_FLAGS = ("--help", "-h")


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code. Expected errors are one sentence, never a traceback."""
    try:
        whole = list(arguments[1:]) == [] and set(arguments) <= GROUPS.keys()
        whole = whole or any(word in HELP_FLAGS for word in arguments)
        result = build(out, err, whole=whole)(list(arguments))
    except CycloptsError as exc:
        fail(str(exc).strip(), fix="fastflow --help")
        return Exit.USAGE
    except CliError as exc:
        fail(str(exc), fix=exc.fix)
        return exc.exit_code
    except (SettingsError, ContractError) as exc:
        fail(str(exc))
        return Exit.USAGE
    except InfrastructureError as exc:
        fail(str(exc), fix="fastflow doctor")
        return Exit.MISSING
    except FastflowError as exc:
        fail(str(exc))
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        streams.give_up()  # whoever read our answer has seen enough
        return Exit.OK
    except OSError as exc:
        fail(": ".join(filter(None, (exc.strerror or repr(exc), exc.filename and str(exc.filename)))))
        return Exit.FAILED
    return result if isinstance(result, int) else Exit.OK


def main() -> None:
    """Run the command line of this process."""
    logging.getLogger().addHandler(logging.NullHandler())  # what matters is said in our own words
    streams.prepare()
    try:
        arguments = streams.words(sys.argv[1:])
    except UnicodeDecodeError as exc:
        fail(f"an argument is no UTF-8 text: {exc.object!r}")
        sys.exit(Exit.USAGE)
    exit_code = run(arguments)
    try:
        streams.flush()
    except BrokenPipeError:
        streams.give_up()
    except OSError as exc:
        if exit_code == Exit.OK:
            fail(f"the answer cannot be written: {exc.strerror}")
            exit_code = Exit.FAILED
        streams.give_up()
    sys.exit(int(exit_code))


if __name__ == "__main__":
    main()
