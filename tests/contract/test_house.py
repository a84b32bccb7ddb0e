"""The rules of the house that no linter knows: what a file may be called, how long it may be, what it may do."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("*/*/fastflow_*/__init__.py"))
MODULES = sorted(module for package in PACKAGES for module in package.rglob("*.py"))
ENTRY = ROOT / "services/runner/fastflow_runner/entry"
PROCESS = ROOT / "libs/fastflow_events/fastflow_events/service/process.py"
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_bytes(), filename=str(module))


def imported_by(module: Path) -> Iterator[str]:
    """Full names, as `from a.b import c` gives `a.b`."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def names_used(module: Path) -> set[str]:
    """Every name that is read, and every attribute as `name.attribute`."""
    used = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.add(f"{node.value.id}.{node.attr}")
    return used


def that_break(rule: Callable[[Path], bool]) -> list[str]:
    """The modules for which `rule` does not hold."""
    return [str(module.relative_to(ROOT)) for module in MODULES if not rule(module)]


def test_the_seven_packages_are_looked_at() -> None:
    names = {package.name.removeprefix("fastflow_") for package in PACKAGES}
    assert names == {"cli", "events", "rules", "gateway", "git_sync", "runner", "scheduler"}


def test_no_source_file_is_longer_than_300_lines() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts/file_lengths.py"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_module_is_named_for_what_it_holds() -> None:
    def says_something(module: Path) -> bool:
        parts = module.relative_to(ROOT).with_suffix("").parts[2:]
        return not any(NAMES_THAT_SAY_NOTHING & set(part.split("_")) for part in parts)

    assert that_break(says_something) == []


def test_every_module_says_in_one_sentence_what_it_is() -> None:
    def has_a_sentence(module: Path) -> bool:
        first_line = (ast.get_docstring(tree_of(module)) or "").partition("\n")[0]
        return first_line.rstrip().endswith((".", ":", ";", "?"))

    assert that_break(has_a_sentence) == []


def test_only_the_command_line_prints() -> None:
    assert that_break(lambda module: "fastflow_cli" in module.parts or "print" not in names_used(module)) == []


def test_annotations_are_read_at_run_time() -> None:
    def honest(module: Path) -> bool:
        hidden = {"TYPE_CHECKING", "typing.TYPE_CHECKING"} & names_used(module)
        return not hidden and "__future__" not in set(imported_by(module))

    assert that_break(honest) == []


def test_only_the_start_of_a_service_reads_the_environment() -> None:
    def handed_in(module: Path) -> bool:
        starts = module.name == "__main__.py" or module == PROCESS
        other_program = ENTRY in module.parents or "testing" in module.parts or "fastflow_cli" in module.parts
        return starts or other_program or not {"os.environ", "os.getenv", "environ", "getenv"} & names_used(module)

    assert that_break(handed_in) == []


def test_the_entry_program_needs_nothing_but_python() -> None:
    imported = {name for module in ENTRY.glob("*.py") for name in imported_by(module)}
    foreign = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not f"{name}.".startswith("fastflow_runner.entry.")} == set()


@pytest.mark.parametrize("kind", ["unit", "integration"])
def test_a_test_lies_in_the_room_of_the_package_that_it_is_about(kind: str) -> None:
    rooms = {package.name.removeprefix("fastflow_") for package in PACKAGES}
    if kind == "integration":
        rooms |= {"services", "scripts"}  # several services together; what sets up a machine
    tests = sorted((ROOT / "tests" / kind).rglob("test_*.py"))
    assert [str(test) for test in tests if test.parent.parent.name != kind or test.parent.name not in rooms] == []


def things_used_of_deps(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str] | None:
    """What a function reads of its `deps`; None when it has none, or hands them on."""
    if "deps" not in {argument.arg for argument in function.args.args}:
        return None
    whole = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == "deps"]
    read = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "deps"
    ]
    return {node.attr for node in read} if len(read) == len(whole) else None


def test_a_function_that_uses_one_thing_is_given_that_and_not_all_deps() -> None:
    """Routes are left out: what is injected into them has one name for all."""
    greedy = [
        f"{module.relative_to(ROOT)}: {function.name} takes all deps for {', '.join(used)}"
        for module in MODULES
        if "http" not in module.parts
        for function in ast.walk(tree_of(module))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and (used := things_used_of_deps(function)) is not None
        and len(used) < 2
    ]
    assert greedy == []


def test_no_test_patches_a_constant_of_ours() -> None:
    """What a test wants otherwise is a parameter."""
    patched = [
        f"{test.relative_to(ROOT)}:{node.lineno}"
        for test in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(tree_of(test))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "setattr"
        and isinstance(node.args[1], ast.Constant)
        and str(node.args[1].value).isupper()
    ]
    assert patched == []


def clocks_read_on_import(module: Path) -> Iterator[str]:
    """Lines outside functions that ask what time it is: half an hour lies between a test's import and its turn."""
    outside: list[ast.AST] = [*tree_of(module).body]
    while outside:
        node = outside.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            outside.extend(node.decorator_list)
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow", "monotonic"}:
            yield f"{module.relative_to(ROOT)}:{node.lineno}"
        outside.extend(ast.iter_child_nodes(node))


def test_no_module_asks_for_the_time_when_it_is_imported() -> None:
    found = [line for module in [*MODULES, *ROOT.glob("tests/**/*.py")] for line in clocks_read_on_import(module)]
    assert found == []
