"""Writes docs/ports/: a page for each port, from its docstrings and those of its adapters, and the list of them.

    python scripts/port_pages.py            writes them
    python scripts/port_pages.py --check    says which are stale, exit 1 where one is

Nothing is imported: what stands in the source is what stands in the pages.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "protea"
PAGES = ROOT / "docs" / "ports"
NOTE = "<!-- Written by scripts/port_pages.py from the source. Change it there. -->\n"


def main() -> int:
    pages = written()
    kept = {path.name for path in PAGES.glob("*.md")} if PAGES.is_dir() else set()
    stale = sorted({name for name, text in pages.items() if _read(PAGES / name) != text} | (kept - pages.keys()))
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/ports/{name} is stale: run python scripts/port_pages.py")
        return int(bool(stale))
    PAGES.mkdir(exist_ok=True)
    for name in stale:
        if name in pages:
            (PAGES / name).write_text(pages[name], encoding="utf-8")
        else:
            (PAGES / name).unlink()
    return 0


def written() -> dict[str, str]:
    """File name → text."""
    tables = _tables()
    ports = sorted(path.stem for path in (SOURCE / "ports").glob("[a-z]*.py"))
    pages = {f"{port}.md": _page(port, tables) for port in ports}
    return {"README.md": _index(ports, tables), **pages}


Tables = dict[str, dict[str, object]]


def _tables() -> Tables:
    """The literals of the catalogue, by name."""
    found: Tables = {}
    for node in _tree(SOURCE / "composition" / "catalogue.py").body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = ast.literal_eval(node.value)
    return found


def _index(ports: list[str], tables: Tables) -> str:
    rows = []
    for port in ports:
        about = _about(_tree(SOURCE / "ports" / f"{port}.py"))
        adapters = tables["CATALOGUE"].get(port, {})
        filled = tables["DEFAULTS"].get(port, "by name" if adapters else "-")
        names = ", ".join(f"`{name}`" for name in adapters) if isinstance(adapters, dict) else ""
        swap = tables["SWAP_CLASSES"].get(port, "-")
        rows.append(f"| [{port}]({port}.md) | {swap} | {about} | {names or '-'} | {filled} |")
    return "\n".join(
        [
            NOTE,
            "# Ports",
            "",
            "What an agent is, is what fills its ports. `[ports.PORT]` in a profile or in",
            "[config.toml](../configuration.md) names an `adapter`; what else stands in the table are its options.",
            "`protea ports` lists them as they are filled here, `protea doctor --port PORT` makes one and runs the",
            "port's own suite on it. Adapters of other packages: [plugins](../plugins.md).",
            "",
            "*Swap class*: a hot port is exchanged between two steps, a warm one between two turns, for a cold one the",
            "loop restarts.",
            "",
            "| port | swap | role | adapters | filled by |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _page(port: str, tables: Tables) -> str:
    tree = _tree(SOURCE / "ports" / f"{port}.py")
    swap = tables["SWAP_CLASSES"].get(port)
    lines = [NOTE, f"# {port}", "", _about(tree), ""]
    adapters = tables["CATALOGUE"].get(port, {})
    if swap:
        filled = tables["DEFAULTS"].get(port)
        told = f"Filled by `{filled}` where nothing else is said." if filled else "What fills it is chosen by name."
        lines += [f"Swap class: {swap}. {told}", ""]
    rest = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    wanted = port.replace("_", "")
    main_one = next(node for node in rest if node.name.lower() == wanted and _is_protocol(node))
    lines += ["## What it promises", "", *_promises(main_one)]
    others = [node for node in rest if node is not main_one]
    if others:
        lines += ["## What it speaks of", ""]
        for node in others:
            lines += _promises(node, heading=f"### {node.name}") if _is_protocol(node) else _value(node)
    if isinstance(adapters, dict) and adapters:
        lines += ["## What fills it", ""]
        for name, target in adapters.items():
            lines += _adapter(name, str(target))
    return "\n".join(lines).rstrip() + "\n"


def _about(tree: ast.Module) -> str:
    """The first line of a port's docstring, without its swap class."""
    text = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    return " ".join(re.sub(r"Swap class: \w+\.", "", text).split())


def _promises(node: ast.ClassDef, heading: str = "") -> list[str]:
    lines = [heading, ""] if heading else []
    if (said := ast.get_docstring(node)) is not None:
        lines += [said, ""]
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            lines += ["```python", *_signature(each), "```", ""]
            if (promise := ast.get_docstring(each)) is not None:
                lines += [promise, ""]
    return lines


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    marked = [ast.unparse(each) for each in node.decorator_list]
    arguments = ast.unparse(node.args).removeprefix("self, ").removeprefix("self")
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    if "property" in marked:
        yield f"{node.name}: {ast.unparse(node.returns) if node.returns else 'Any'}"
        return
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    whole = f"{word} {node.name}({arguments}){result}"
    if len(whole) <= 110:
        yield whole
        return
    yield f"{word} {node.name}("
    for part in _parts(arguments):
        yield f"    {part},"
    yield f"){result}"


def _parts(arguments: str) -> list[str]:
    """What stands between commas that are in no brackets."""
    found, depth, start = [], 0, 0
    for at, letter in enumerate(arguments):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            found.append(arguments[start:at].strip())
            start = at + 1
    return [*found, arguments[start:].strip()]


def _value(node: ast.ClassDef) -> list[str]:
    lines = [f"### {node.name}", "", *([said, ""] if (said := ast.get_docstring(node)) else [])]
    rows = [f"| `{name}` | {_code(kind)} | {about} |" for name, kind, _, about in _fields(node)]
    return [*lines, *(["| field | is | |", "|---|---|---|", *rows, ""] if rows else [])]


def _adapter(name: str, target: str) -> list[str]:
    path = SOURCE.joinpath(*target.split(".")[1:]).with_suffix(".py")
    tree = _tree(path)
    lines = [f"### {name}", "", ast.get_docstring(tree) or "", ""]
    options = _options(tree, path)
    rows = [
        f"| `{option}` | {_code(kind)} | {_code(default) if default else 'must be given'} | {about} |"
        for option, kind, default, about in options
    ]
    return [*lines, *(["| option | takes | else | |", "|---|---|---|---|", *rows, ""] if rows else [])]


def _options(tree: ast.Module, path: Path) -> list[tuple[str, str, str, str]]:
    """Of the module's own `Options`, with what they inherit from a sibling, or those it imports from one."""
    node = next((each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == "Options"), None)
    wanted = ["Options"] if node is None else [ast.unparse(base) for base in node.bases]
    inherited: list[tuple[str, str, str, str]] = []
    for each in tree.body:
        if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("protea.adapters."):
            for alias in each.names:
                if (alias.asname or alias.name) in wanted:
                    sibling = SOURCE.joinpath(*(each.module or "").split(".")[1:]).with_suffix(".py")
                    found = next(n for n in _tree(sibling).body if isinstance(n, ast.ClassDef) and n.name == alias.name)
                    inherited += _fields(found)
    own = _fields(node) if node is not None else []
    said = {name for name, *_ in own}
    return [*(each for each in inherited if each[0] not in said), *own]


def _fields(node: ast.ClassDef) -> list[tuple[str, str, str, str]]:
    """(name, type, default, docstring) of each field; the docstring stands below it."""
    found = []
    for each, following in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(each, ast.AnnAssign) or not isinstance(each.target, ast.Name):
            continue
        about = ""
        if (
            isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            about = " ".join(following.value.value.split()).replace("|", "\\|")
        default = ast.unparse(each.value) if each.value is not None else ""
        found.append((each.target.id, _kind(each.annotation), default, about))
    return found


def _kind(annotation: ast.expr) -> str:
    """A type as it is read: without what msgspec is told beside it."""
    text = ast.unparse(annotation)
    return re.sub(r"Annotated\[(\w+), msgspec\.Meta\(([^()]*)\)\]", r"\1 (\2)", text)


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base) == "Protocol" for base in node.bases)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
