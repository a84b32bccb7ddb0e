"""The documentation says everything it promises, and its links lead somewhere."""

import re
from pathlib import Path

import msgspec
import pytest
from fastflow_events.service.settings import ALIASES, PREFIX, Settings
from fastflow_gateway.settings import GatewaySettings
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_runner.settings import RunnerSettings
from fastflow_scheduler.settings import SchedulerSettings

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "docs" / "configuration.md"
ADRS = ROOT / "docs" / "adr"
SECTIONS: dict[str, type[Settings]] = {
    "Every service": Settings,
    "Gateway": GatewaySettings,
    "git_sync": GitSyncSettings,
    "Scheduler": SchedulerSettings,
    "Runner": RunnerSettings,
}
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]+)\)")
VARIABLE = re.compile(r"\bFASTFLOW_[A-Z_]*[A-Z]\b")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def documented(section: str) -> dict[str, tuple[str, str]]:
    """Variable to its older name and its default, as the table of a section says them."""
    text = CONFIGURATION.read_text().split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines()]
    return {row[0].strip("| `"): (row[1].strip("`"), row[2].strip("`")) for row in rows if len(row) == 4}


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """The default in the words of the page."""
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return "the host's name"
    match field.default:
        case None:
            return "none"
        case "":
            return "empty"
        case bool() as truth:
            return str(truth).lower()
        case float() as number:
            return f"{number:g}"
        case other:
            return str(other)


def own_fields(settings: type[Settings]) -> list[msgspec.structs.FieldInfo]:
    """The fields that `settings` adds to what every service has."""
    shared = {field.name for field in msgspec.structs.fields(Settings)}
    fields = msgspec.structs.fields(settings)
    return [field for field in fields if settings is Settings or field.name not in shared]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented_with_its_older_name_and_its_default(section: str) -> None:
    expected = {}
    for field in own_fields(SECTIONS[section]):
        variable = PREFIX + field.name.upper()
        expected[variable] = (ALIASES.get(variable, "–"), default_of(field))
    found = {name: result for name, result in documented(section).items() if name.startswith(PREFIX)}
    assert found == expected


def test_every_variable_of_compose_and_of_the_scripts_is_documented() -> None:
    text = CONFIGURATION.read_text()
    sources = [*(ROOT / "deploy").glob("*.yaml"), ROOT / "Makefile", *(ROOT / "scripts").iterdir()]
    used = {name for path in sources if path.is_file() for name in VARIABLE.findall(path.read_text())}
    assert {name for name in used if name not in text} == set()


def test_every_older_name_belongs_to_a_setting() -> None:
    variables = {PREFIX + f.name.upper() for settings in SECTIONS.values() for f in own_fields(settings)}
    assert set(ALIASES) - variables == set()


def test_every_decision_is_linked_from_the_list_of_decisions() -> None:
    records = {path.name for path in ADRS.glob("[0-9]*.md")}
    linked = set(LINK.findall((ADRS / "README.md").read_text()))
    assert records - linked == set()


@pytest.mark.parametrize("record", sorted(ADRS.glob("[0-9]*.md")), ids=lambda path: path.stem)
def test_a_decision_says_what_forced_it_and_what_follows(record: Path) -> None:
    text = record.read_text()
    assert text.startswith(f"# ADR-{record.name[:4]}: ")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Context",
        "## Decision",
        "## Consequences",
    ]
    assert all(f"\n| {name} | " in text for name in ("Date", "Status", "Concerns"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_something_that_is_there(page: Path) -> None:
    dead = []
    for link in LINK.findall(page.read_text()):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def anchors(page: Path) -> set[str]:
    """Ids of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
