"""Tools from single Python files."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import pytest

from protea.adapters.tools.files import ANYTHING, MANY, FileToolset, Options, create
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolResult
from protea.ports.toolset import ToolContext
from protea.testing.contracts.toolset import ToolsetContract

FINE = """
from __future__ import annotations
import threading

def greet(name: str, times: int = 1) -> str:
    "Greet somebody."
    return f"hello {name} " * times

async def where() -> str:
    "Which thread this is."
    return threading.current_thread().name

def also_where() -> str:
    "Which thread that is."
    return threading.current_thread().name

def helper(x):
    "No annotations: not for the model."

def untold(x: int) -> int:
    return x

def _own(x: int) -> int:
    "Private."
    return x
"""


def around(folder: Path, *, trusted: bool = True) -> Surroundings:
    project = folder / "project"
    (project / ".protea/tools").mkdir(parents=True, exist_ok=True)
    (folder / "home/.protea/tools").mkdir(parents=True, exist_ok=True)
    home = str(folder / "home")
    return Surroundings(
        cwd=str(project),
        root=str(project),
        user_home=home,
        protea_home=f"{home}/.protea",
        environment={},
        trusted=trusted,
    )


def made(folder: Path, *, trusted: bool = True) -> FileToolset:
    return create(Options(), surroundings=around(folder, trusted=trusted))


class TestContract(ToolsetContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        around(tmp_path)
        (tmp_path / "home/.protea/tools/fine.py").write_text(FINE)
        self._made = made(tmp_path)

    def toolset(self) -> FileToolset:
        return self._made


def test_public_functions_with_words_and_annotations_are_tools(tmp_path: Path) -> None:
    around(tmp_path)
    (tmp_path / "home/.protea/tools/fine.py").write_text(FINE)
    toolset = made(tmp_path)
    assert [spec.name for spec in toolset.specs()] == ["greet", "where", "also_where"]
    greet = toolset.specs()[0]
    assert (greet.description, greet.effects, greet.parameters["required"]) == ("Greet somebody.", ANYTHING, ["name"])
    assert toolset.files()["greet"] == str(tmp_path / "home/.protea/tools/fine.py")
    assert toolset.problems == ()


def test_a_file_may_bring_examples_and_one_that_does_not_fit_is_named(tmp_path: Path) -> None:
    around(tmp_path)
    examples = 'EXAMPLES = {"greet": {"name": "Ada"}, "where": {"far": 1}, "also_where": {1, 2}}'
    (tmp_path / "home/.protea/tools/fine.py").write_text(f"{FINE}\n{examples}\n")
    toolset = made(tmp_path)
    assert [spec.example for spec in toolset.specs()] == [{"name": "Ada"}, None, None]
    assert [words.partition(".py:")[2] for words in toolset.problems] == [
        "9: the example of where is left out: `far` is not known",
        "13: the example of also_where is left out: the value must be an object, not the array [1, 2]",
    ]


def test_many_are_told_of_once_the_model_has_looked_for_them(tmp_path: Path) -> None:
    around(tmp_path)
    for many in (MANY, MANY + 1):
        text = "".join(f'def act_{number}() -> str:\n    "Act."\n    return ""\n' for number in range(many))
        (tmp_path / "home/.protea/tools/many.py").write_text(text)
        toolset = made(tmp_path)
        toolset.load(taken=["ToolSearch"])
        assert {spec.deferred for spec in toolset.specs()} == {many > MANY}
        assert (tool := toolset.tool("act_0")) is not None
        assert tool.spec == toolset.specs()[0]
    # Where nothing could find them they are told.
    toolset = made(tmp_path)
    toolset.load()
    assert not any(spec.deferred for spec in toolset.specs())


async def test_what_would_hold_up_the_screen_runs_in_a_thread(tmp_path: Path) -> None:
    around(tmp_path)
    (tmp_path / "home/.protea/tools/fine.py").write_text(FINE)
    toolset, context = made(tmp_path), cast(ToolContext, None)  # neither asks for it
    results: dict[str, ToolResult] = {}
    for name in ("where", "also_where"):
        tool = toolset.tool(name)
        assert tool is not None
        results[name] = await tool.run({}, context)
    here = threading.current_thread().name
    assert results["where"].text == here
    assert results["also_where"].text != here


def test_of_a_name_the_projects_own_counts_and_only_where_it_is_trusted(tmp_path: Path) -> None:
    around(tmp_path)
    for folder, words in (("home/.protea", "Mine."), ("project/.protea", "The project's.")):
        (tmp_path / folder / "tools/a.py").write_text(f'def act() -> str:\n    "{words}"\n    return ""\n')
    (tool,) = made(tmp_path).specs()
    assert tool.description == "The project's."
    (tool,) = made(tmp_path, trusted=False).specs()
    assert tool.description == "Mine."


def test_a_file_that_would_interrupt_the_run_is_left_out_like_any_that_is_wrong(tmp_path: Path) -> None:
    around(tmp_path)
    (tmp_path / "home/.protea/tools/a_wrong.py").write_text("x = 1\nraise KeyboardInterrupt\n")
    (tmp_path / "home/.protea/tools/fine.py").write_text(FINE)
    toolset = made(tmp_path)
    loading = threading.Thread(target=toolset.load)  # as it is done while the screen goes on
    loading.start()
    loading.join(30)
    assert [spec.name for spec in toolset.specs()] == ["greet", "where", "also_where"]
    (problem,) = toolset.problems
    assert ":2: KeyboardInterrupt" in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\ndef broken(:\n", ":2: SyntaxError: "),
        ("import sys\n\nraise ValueError('no luck')\n", ":3: ValueError: no luck; none of its tools can be used"),
        ("def f():\n    import nothing_of_that_name\n\nf()\n", ":2: ModuleNotFoundError: "),
        ("import sys\nsys.exit(3)\n", ":2: SystemExit: 3"),
        ("def f(*names: str) -> str:\n    'Odd.'\n    return ''\n", ":1: f cannot be a tool: TypeError: "),
        ("\ndef f(x: Nowhere) -> str:\n    'Odd.'\n    return ''\n", ":2: NameError: "),
        (
            "def TodoWrite() -> str:\n    'Harmless, honest.'\n    return ''\n",
            ":1: TodoWrite is left out: another tool",
        ),
        ("def bash() -> str:\n    'Mine.'\n    return ''\n", ":1: bash is left out: another tool"),
        ("def mcp__a__b() -> str:\n    'Mine.'\n    return ''\n", ":1: mcp__a__b is left out: another tool"),
        ("def größe() -> str:\n    'Mine.'\n    return ''\n", ":1: größe cannot be a tool: its name"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_line_and_the_rest_goes_on(tmp_path: Path, text: str, words: str) -> None:
    around(tmp_path)
    wrong = tmp_path / "home/.protea/tools/a_wrong.py"
    wrong.write_text(text)
    (tmp_path / "home/.protea/tools/fine.py").write_text(FINE)
    toolset = made(tmp_path)
    assert [spec.name for spec in toolset.specs()] == ["greet", "where", "also_where"]
    (problem,) = toolset.problems
    assert problem.startswith(f"{wrong}{words}")
    assert "\n" not in problem


def test_what_was_compiled_by_somebody_else_is_never_used(tmp_path: Path) -> None:
    around(tmp_path)
    (tmp_path / "home/.protea/tools/fine.py").write_text(FINE)
    made(tmp_path).load()
    assert [path.name for path in (tmp_path / "home/.protea/tools").iterdir()] == ["fine.py"]


def test_what_was_read_when_it_was_made_is_what_runs(tmp_path: Path) -> None:
    """Whether a project is trusted was asked then."""
    around(tmp_path)
    path = tmp_path / "project/.protea/tools/a.py"
    path.write_text('def act() -> str:\n    "As trusted."\n    return ""\n')
    toolset = made(tmp_path)
    path.write_text('def act() -> str:\n    "Another."\n    return ""\n')
    assert [spec.description for spec in toolset.specs()] == ["As trusted."]


def test_names_that_are_taken_are_left_out(tmp_path: Path) -> None:
    around(tmp_path)
    (tmp_path / "home/.protea/tools/fine.py").write_text(FINE)
    toolset = made(tmp_path)
    (problem,) = toolset.load({"Greet"})
    assert "greet is left out" in problem
    assert toolset.tool("greet") is None
