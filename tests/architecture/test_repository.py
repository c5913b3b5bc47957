"""The repository around the source: locks, scripts, pages, and what must not be in it."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.source import ROOT


def tracked() -> list[Path]:
    """What a clone holds, and what is about to be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def texts(paths: Iterable[Path]) -> dict[Path, str]:
    found = {}
    for path in paths:
        try:
            found[path] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


# ── what must not be in it ─────────────────────────────────────────────────────────────────────────────────────────

_HERE = re.compile(r"(?<![\w.~-])/(?:wor" + r"k|far" + r"m)/[a-z.]|(?<![\w-])farm-[a-z]|/roo" + r"t/\.")
"""Paths and commands of machines it was written on. Put together here, so that this file does not hold them either."""
_KEY = re.compile(r"sk-ant-[\w-]{60}|sk-[A-Za-z0-9]{32}|AIza[\w-]{35}|ghp_\w{36}|-----BEGIN [A-Z ]*PRIVATE KEY-----")


def machine_words(files: dict[Path, str]) -> list[str]:
    return [
        f"{path.name}:{number}: {line.strip()[:100]}"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if _HERE.search(line)
    ]


def keys(files: dict[Path, str]) -> list[str]:
    return [path.name for path, text in files.items() if _KEY.search(text)]


def test_the_repository_names_no_machine_it_was_written_on() -> None:
    assert machine_words(texts(tracked())) == []


def test_a_path_of_a_machine_is_noticed() -> None:
    assert machine_words({Path("a"): "see /wor" + "k/main/x"})
    assert machine_words({Path("a"): "net/work/main or ~/work/x"}) == []


MADE_UP = {"test_redaction.py": "keys made up to show that keys are hidden"}


def test_the_repository_holds_no_key() -> None:
    assert [name for name in keys(texts(tracked())) if name not in MADE_UP] == []


def test_a_key_is_noticed() -> None:
    assert keys({Path("a"): "x = '" + "sk-ant" + "-api03-" + "0123456789" * 9})


def test_nothing_big_is_kept() -> None:
    assert [path.name for path in tracked() if path.stat().st_size > 500_000] == []


# ── locks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def pins(text: str) -> dict[str, str]:
    """Package → version. Raises `ValueError` where a line is not a pin with its hashes."""
    found = {}
    for block in re.split(r"\n(?=\S)", text.strip()):
        head = re.match(r"([a-z0-9-]+)==([\w.]+)( ;[^\\]*)? \\\n", block)
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}", block)
        if head is None or not hashes or "://" in block:
            raise ValueError(f"not a pin with its hashes and without an address: {block[:80]}")
        found[head[1]] = head[2]
    return found


def lock(name: str) -> dict[str, str]:
    return pins((ROOT / "requirements" / f"{name}.txt").read_text())


@pytest.mark.parametrize("name", ["run", "test"])
def test_everything_that_is_installed_is_pinned_by_hash(name: str) -> None:
    assert lock(name)


@pytest.mark.parametrize(
    "text",
    [
        "msgspec==0.20\n",
        "msgspec>=0.20 \\\n    --hash=sha256:" + "0" * 64,
        "msgspec @ https://x.example/m.whl \\\n --hash=sha256:" + "0" * 64,
    ],
)
def test_a_loose_pin_is_noticed(text: str) -> None:
    with pytest.raises(ValueError, match="not a pin"):
        pins(text)


def test_tests_run_on_the_versions_that_are_shipped() -> None:
    assert lock("run").items() <= lock("test").items()


def declared() -> dict[str, list[str]]:
    """Extra → the packages it names; the base is `""`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [re.split(r"[\s>=<!~\[;]", each)[0].lower() for each in names] for extra, names in groups.items()}


def test_every_declared_dependency_is_pinned() -> None:
    assert set(declared()[""]) <= lock("run").keys()
    assert {name for names in declared().values() for name in names if name != "protea"} <= lock("test").keys()


def test_the_base_stays_small() -> None:
    assert set(declared()[""]) == {"msgspec", "tree-sitter", "tree-sitter-bash"}


# ── scripts ────────────────────────────────────────────────────────────────────────────────────────────────────────

SCRIPTS = ["scripts/run", "scripts/test", "scripts/lock", ".ci/run"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_run_and_parsed(name: str) -> None:
    path = ROOT / name
    shell = "bash" if "bash" in path.read_text().splitlines()[0] else "sh"
    assert path.stat().st_mode & 0o111
    assert subprocess.run([shell, "-n", path], capture_output=True).stderr == b""


# ── pages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def broken_links(page: Path, text: str) -> list[str]:
    found = []
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        if not path.exists():
            found.append(f"{page.name}: {target} is not there")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text()):
            found.append(f"{page.name}: {target} has no such heading")
    return found


def test_links_between_pages_lead_somewhere() -> None:
    assert [link for page in pages() for link in broken_links(page, page.read_text())] == []


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One head\n[x](b.md) [y](#no-such) [z](#one-head) `[w](c.md)`")
    assert len(broken_links(page, page.read_text())) == 2


def unreachable(index: Path, all_pages: Iterable[Path]) -> set[str]:
    """Pages no chain of links from `index` leads to."""
    seen: set[Path] = set()
    front = [index.resolve()]
    while front:
        page = front.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            front.append((page.parent / target).resolve())
    return {str(page.name) for page in all_pages if page.resolve() not in seen}


def test_every_page_can_be_reached_from_the_readme() -> None:
    assert unreachable(ROOT / "README.md", pages()) == set()


def test_a_page_nothing_leads_to_is_noticed(tmp_path: Path) -> None:
    for name, text in {"README.md": "[a](a.md)", "a.md": "", "b.md": ""}.items():
        (tmp_path / name).write_text(text)
    assert unreachable(tmp_path / "README.md", tmp_path.glob("*.md")) == {"b.md"}


# ── tests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


_PROVES = re.compile(r"\bassert\b|raises|warns|\bfail\(|assert_\w+\(")


def checkers(tree: ast.Module) -> set[str]:
    """Functions of a test file that can fail: they assert, call one that does, or come from the helpers of tests."""
    bodies = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    found = {name for name, node in bodies.items() if _PROVES.search(ast.unparse(node))}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and re.match(r"tests\b|protea\.testing|\w+$", node.module or ""):
            found |= {alias.name for alias in node.names}
    while True:
        more = {n for n, node in bodies.items() if n not in found and found & words_of(node)}
        if not more:
            return found
        found |= more


def words_of(node: ast.AST) -> set[str]:
    return {each.id if isinstance(each, ast.Name) else each.attr for each in ast.walk(node)
            if isinstance(each, ast.Name | ast.Attribute)}  # fmt: skip


def faults_of_tests(path: Path, text: str) -> list[str]:
    """Mocks, sleeps, tests that cannot fail, tests that are switched off without a reason."""
    found = []
    tree = ast.parse(text)
    proving = checkers(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = f"{getattr(node, 'module', '')} {' '.join(alias.name for alias in node.names)}"
            if re.search(r"\bmock\b", names):
                found.append(f"{path.name}:{node.lineno}: a mock; ship a fake")
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name == "time.sleep":
                found.append(f"{path.name}:{node.lineno}: sleeps")
            if re.search(r"mark\.(skip|xfail)$", name) and not any(k.arg == "reason" for k in node.keywords):
                found.append(f"{path.name}:{node.lineno}: {name} without a reason")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            if node.name not in proving and not proving & words_of(node):
                found.append(f"{path.name}:{node.lineno}: {node.name} cannot fail")
            if len(node.name.split("_")) < 3:
                found.append(f"{path.name}:{node.lineno}: {node.name} is not a sentence")
    return found


def test_tests_use_no_mocks_and_no_sleeps_and_can_fail() -> None:
    paths = [path for path in (ROOT / "tests").rglob("*.py") if path.name != Path(__file__).name]
    assert [fault for path in paths for fault in faults_of_tests(path, path.read_text())] == []


@pytest.mark.parametrize(
    "text",
    [
        "from unittest.mock import Mock",
        "import time\ndef test_that_it_waits_long(x):\n    time.sleep(1)\n    assert x",
        "def test_that_it_does_nothing():\n    f()",
        "import pytest\n@pytest.mark.skip()\ndef test_that_it_is_so():\n    assert x",
        "def test_x():\n    assert 1",
    ],
)
def test_a_test_that_proves_nothing_is_noticed(text: str) -> None:
    assert faults_of_tests(Path("a.py"), text)


def test_tests_mirror_the_source() -> None:
    layers = [
        path for path in (ROOT / "tests").iterdir() if path.is_dir() and (ROOT / "src/protea" / path.name).is_dir()
    ]
    strays = [
        str(path.relative_to(ROOT))
        for layer in layers
        for path in layer.rglob("test_*.py")
        if not (ROOT / "src/protea" / path.parent.relative_to(ROOT / "tests")).exists()
    ]
    assert strays == []


def test_every_contract_suite_is_run_by_a_test() -> None:
    suites = [path.stem for path in (ROOT / "src/protea/testing/contracts").glob("[a-z]*.py")]
    used = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert [
        suite
        for suite in suites
        if not re.search(rf"protea\.testing\.contracts(\.{suite}\b| import .*\b{suite}\b)", used)
    ] == []
