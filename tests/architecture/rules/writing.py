"""How source is written: names, words, and what must not be left behind."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.architecture.source import Tree, classes, functions, rule


@rule({"domain/a.py": "x = 1"}, {"domain/__init__.py": ""}, fine={"domain/a.py": '"""Says what it does."""\nx = 1'})
def every_module_says_what_it_does(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        if not ast.get_docstring(module.ast):
            yield module.at(1, "no docstring")


LONGEST = 700
"""Lines of a module."""


@rule({"domain/a.py": "x = 1\n" * (LONGEST + 1)}, fine={"domain/a.py": "x = 1\n" * LONGEST})
def a_module_is_read_in_one_sitting(tree: Tree) -> Iterator[str]:
    """When it grows beyond, it holds two ideas: name the second, and give it a file."""
    for module in tree.modules:
        lines = module.text.count("\n")
        if lines > LONGEST:
            yield module.at(LONGEST, f"{lines} lines")


MANY = 8
"""Modules that a folder may hold whose `__init__.py` does not say what is where."""
OF_ONE_KIND = {
    "protea": "the layers, of which ARCHITECTURE.md has a paragraph each",
    "protea.adapters": "a family per port",
    "protea.ports": "a port each",
    "protea.testing": "the fakes of a port each",
    "protea.testing.contracts": "the suite of a port each",
    "protea.interfaces.commands": "a command each",
    "protea.adapters.tools": "a tool each; what several of them need begins with an underscore",
}
"""Folders in which a name says enough, unless it begins with an underscore."""


_MANY = {f"application/step_{number}.py": "" for number in range(MANY)}
_NAMES = ", ".join(f"step_{number}" for number in range(MANY))


@rule(
    {"application/__init__.py": f'"""{_NAMES}."""', **_MANY, "application/hub.py": ""},
    {"adapters/x/__init__.py": '"""A family."""', **{f"adapters/x/_{n}.py": "" for n in range(MANY + 1)}},
    {"ports/__init__.py": '"""Promises."""', **{f"ports/{name}.py": "" for name in "abcdefgh"}, "ports/_x.py": ""},
    fine={
        "application/__init__.py": f'"""A turn: hub, {_NAMES}."""',
        **_MANY,
        "application/hub.py": "",
        "ports/__init__.py": '"""Promises."""',
        **{f"ports/{name}.py": "" for name in "abcdefghij"},
    },
)
def a_folder_of_many_files_says_what_is_where(tree: Tree) -> Iterator[str]:
    """In the docstring of its `__init__.py`, so that one who opens the folder finds the file."""
    folders: dict[str, list[str]] = {}
    for module in tree.modules:
        above, _, last = module.name.rpartition(".")
        folders.setdefault(above, []).append(last)
    for name, files in folders.items():
        home = tree.module(name)
        if home is None or len(files) <= MANY:
            continue
        if name in OF_ONE_KIND:
            files = [last for last in files if last.startswith("_")]
        words = set(re.findall(r"\w+", ast.get_docstring(home.ast) or ""))
        for last in files:
            if last not in words and not last.startswith("__") and last != "_version":
                yield home.at(1, f"names no {last}")


VAGUE = {
    "base",
    "common",
    "helpers",
    "helper",
    "manager",
    "managers",
    "misc",
    "shared",
    "types",
    "util",
    "utils",
    "core",
}


@rule(
    {"domain/utils.py": ""}, {"adapters/common/a.py": ""}, {"application/session_manager.py": ""}, {"ports/base.py": ""},
    fine={"domain/usage.py": "", "adapters/models/types_of_x.py": ""},
)  # fmt: skip
def no_module_has_a_name_that_says_nothing(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for part in module.parts:
            if part.strip("_") in VAGUE or part.endswith(
                ("_utils", "_helpers", "_manager", "_base", "_types", "_common")
            ):
                yield module.at(1, f"{part} is a name for anything")


@rule(
    {"domain/a.py": "class EventUtils: ..."},
    {"application/a.py": "class SessionManager: ..."},
    {"ports/a.py": "class IModel: ..."},
    {"ports/a.py": "class ModelPort(Protocol): ..."},
    fine={"domain/a.py": "class Identity: ...\nclass InMemoryLog: ..."},
)
def no_class_has_a_name_that_says_nothing(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for node in classes(module.ast):
            if re.search(r"(Manager|Helper|Utils?|Port|Interface|Impl|Base|Mixin)$", node.name) or re.match(
                r"(I[A-Z][a-z]|Abstract)", node.name
            ):
                yield module.at(node, f"{node.name} is a name for anything")


@rule(
    {"domain/errors.py": "class ProteaError(Exception): ...\nclass Oops(ProteaError): ..."},
    {"adapters/x/a.py": "class Trouble(ValueError): ..."},
    fine={"domain/errors.py": "class ProteaError(Exception): ...\nclass UsageError(ProteaError): ..."},
)
def errors_end_in_error(tree: Tree) -> Iterator[str]:
    """But for a signal that a file or family sends itself, which nobody else sees."""
    for module in tree.modules:
        for node in classes(module.ast):
            is_error = any(re.search(r"(Error|Exception)$", ast.unparse(base)) for base in node.bases)
            private = node.name.startswith("_") or module.parts[-1].startswith("_")
            if is_error and not (private or node.name.endswith("Error") or node.name == "Mistake"):
                yield module.at(node, f"{node.name} is an error and does not say so")


@rule(
    {"application/a.py": "def f():\n    raise Exception('x')"},
    {"adapters/x/a.py": "def f():\n    raise BaseException"},
    {"adapters/x/a.py": "def f():\n    raise NotImplementedError"},
    fine={"application/a.py": "def f():\n    raise UsageError('say --model')"},
)
def what_is_raised_has_a_meaning(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for node in ast.walk(module.ast):
            if isinstance(node, ast.Raise) and node.exc is not None:
                name = ast.unparse(node.exc).partition("(")[0]
                if name == "NotImplementedError" and module.layer == "testing":
                    continue  # what a suite leaves to whoever runs it
                if name in ("Exception", "BaseException", "NotImplementedError", "SystemError"):
                    yield module.at(node, f"raise {name}")


@rule(
    {"domain/a.py": "def f(x):\n    assert x > 0"},
    {"adapters/x/a.py": "def f(x):\n    assert os.path.isabs(x)"},
    fine={
        "testing/a.py": "def check():\n    assert x",
        "domain/a.py": "def f(x):\n    assert x is not None\n    assert isinstance(x, int)\n    assert_never(x)",
    },
)
def no_check_vanishes_under_optimisation(tree: Tree) -> Iterator[str]:
    """`python -O` drops `assert`. One that only tells the type checker what is known anyway may vanish; the suites in
    `testing` are made of them and are not run that way."""
    for module in tree.modules:
        if module.layer != "testing":
            for node in ast.walk(module.ast):
                if isinstance(node, ast.Assert) and not re.fullmatch(
                    r"[\w.]+ is not None|(isinstance|callable)\([^()]*\)", ast.unparse(node.test)
                ):
                    yield module.at(node, ast.unparse(node))


@rule(
    {"domain/a.py": "x = 1  # TO" + "DO later"},
    {"domain/a.py": "# FIX" + "ME\nx = 1"},
    {"domain/a.py": "x = 1  # XX" + "X"},
    fine={"domain/a.py": "WORDS = ('TO" + "DO',)  # what people leave behind\nclass TodoItem: ..."},
)
def nothing_is_left_for_later(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type == tokenize.COMMENT and re.search(
                r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HACK)\b", token.string
            ):
                yield module.at(token.start[0], token.string)


@rule(
    {"domain/a.py": "x = f()  # type: ignore"},
    {"domain/a.py": "import os  # noqa"},
    {"domain/a.py": "x = f()  # type: ignore[arg-type]"},
    {"domain/a.py": "def f():  # pragma: no cover\n    ..."},
    fine={
        "domain/a.py": "x = f()  # type: ignore[arg-type]  # bases of the union\nimport y  # noqa: E402  # after the guard"
    },
)
def a_check_is_silenced_by_name_and_with_a_reason(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type != tokenize.COMMENT:
                continue
            if "pragma: no cover" in token.string:
                yield module.at(token.start[0], token.string)
            if re.search(r"type: *ignore|noqa", token.string) and not re.search(
                r"(type: ignore\[[a-z-]+(, *[a-z-]+)*\]|noqa: [A-Z]+\d+(, *[A-Z]+\d+)*) +(# *|- )\S+", token.string
            ):
                yield module.at(token.start[0], f"{token.string}: which check, and why?")


@rule(
    {"application/a.py": "def f(a, b=False, c=True):\n    ..."},
    fine={"application/a.py": "def f(a, *, b=False, c=True):\n    ...", "domain/b.py": "def g(a, b=False): ..."},
)
def switches_are_named_where_they_are_set(tree: Tree) -> Iterator[str]:
    """`f(x, True, False)` tells nobody anything: a second switch must be given by name."""
    for module in tree.modules:
        for function in functions(module.ast):
            defaults = function.args.defaults
            if sum(isinstance(d, ast.Constant) and isinstance(d.value, bool) for d in defaults) > 1:
                yield module.at(function, f"{function.name} takes switches by position")


@rule(
    {"application/a.py": "def draw_in_tui(): ..."},
    {"application/a.py": "class Sessions:\n    def for_repl(self): ..."},
    {"domain/a.py": "def telegram_text(): ..."},
    fine={"interfaces/repl.py": "def repl(): ...", "application/a.py": "def replace(): ...\ndef replies(): ..."},
)
def what_is_inside_names_no_face(tree: Tree) -> Iterator[str]:
    for module in tree.under("domain", "ports", "application"):
        for node in [*functions(module.ast), *classes(module.ast)]:
            words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", node.name)
            for word in words:
                if word.lower() in ("tui", "repl", "headless", "telegram", "acp", "textual", "browser"):
                    yield module.at(node, f"{node.name} names a face")
