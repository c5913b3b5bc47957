"""What many kinds of content look like, at several widths. `python -m tests.interfaces.tui.transcript.screens` writes
the files in `golden/` again; look at what changed before you keep it."""

from __future__ import annotations

from pathlib import Path

from protea.domain.blocks import Answer, AnyBlock, Call, Footer, Job, Marker, Notice, Prompt, Question, Thought, Todo
from protea.domain.diff import unified
from protea.domain.errors import Failure
from protea.domain.messages import Image, ToolCall
from protea.domain.tools import TodoItem, ToolResult
from protea.domain.usage import Usage
from protea.interfaces.tui.transcript.draw import block_rows
from protea.interfaces.tui.transcript.entries import Entry
from protea.interfaces.tui.transcript.rows import Row

GOLDEN = Path(__file__).with_name("golden")
WIDTHS = (40, 80, 120, 200)

BASH = ToolCall(id="b", name="Bash", arguments={"command": "cd src &&\npytest -q tests/domain --maxfail 1"})
EDIT = ToolCall(id="e", name="Edit", arguments={"path": "src/protea/interfaces/tui/transcript/widget.py"})
GREP = ToolCall(id="g", name="Grep", arguments={"pattern": "def render", "path": "src"})
OLD = (
    "def f(a, b):\n    return a + b\n\n\nclass Some:\n    kept = 1\n\n    def g(self):\n        pass\n"
    + "x = 0\n" * 12
    + "end\n"
)
NEW = OLD.replace("a, b)", "a, b, c=0)").replace("a + b", "a + b + c").replace("end", "the end of it")

PROSE = """# A head with `code`

A paragraph of **bold**, *italic*, ~~struck~~ and `coded` words with [a link](https://example.com/a) and a bare one,
https://example.com/b?c=d. It is long enough to be broken at every width there is, so that one sees where.
This is the same paragraph.\\
This is a line that was meant.

## Lists

- one
- two, with words enough that the line goes on below the text and not below the bullet, however wide it is here
  1. nested and counted
  2. twice

- after a blank line
  > a quote in an item

7. seven
8. eight

> A quote of several words
>
> - with a list

***

Done."""

CODE = """Before:

```python
def handle(request: Request) -> Response:
    if not request.is_known and request.path.startswith("/a/very/long/path/that/does/not/fit/at/forty"):
        raise Refused(request)
```

    indented

~~~
no language
~~~"""

TABLE = """| name | what it does | cost |
|:-----|:------------:|-----:|
| one | reads the file and keeps its lines for whoever asks for them later | 12 |
| `two` | **nothing** | 1,234 |
| 三 | 漢字も入る | ∞ |"""

WIDE = """漢字かな混じりの文章です。とても長いので、どこかで折り返されるはずです。句読点は行頭に来ません。
ABCと123も混ざります。

한국어 문장도 있습니다. ไทยก็มี हिन्दी भी और العربية أيضا وكذلك עברית.

Emoji: 👩‍👩‍👧 👍🏽 🇩🇪 ❤️ and e\u0301 combining."""

MATH = """Inline $x_1^2 + \\alpha \\leq \\frac{a}{b}$ costs $5, and \\(E = mc^2\\) too.

$$
\\sum_{i=0}^{n} x_i
- y
$$"""

NASTY = "A \x1b[31mred\x1b[0m word, \x1b]0;title\x07 a bell\x07, \x00 and rm \u202etxt.exe; <script>alert(1)</script>"

CONTENT: dict[str, list[tuple[AnyBlock, bool | None]]] = {
    "prose": [(Answer(key="k", text=PROSE), None)],
    "code": [(Answer(key="k", text=CODE), None)],
    "table": [(Answer(key="k", text=TABLE), None)],
    "wide": [(Answer(key="k", text=WIDE), None)],
    "formulas": [(Answer(key="k", text=MATH), None)],
    "nasty": [
        (Answer(key="k", text=NASTY), None),
        (Prompt(key="k", text=NASTY), None),
        (Notice(key="k", level="error", text=NASTY), None),
    ],
    "prompts": [
        (
            Prompt(
                key="k",
                text="Look at this:\n\n    indented\n\nand say what is wrong with it, in as few words as you can find.",
            ),
            None,
        ),
        (
            Prompt(
                key="k", text="\n".join(f"pasted line {n}" for n in range(40)), images=(Image("image/png", "A" * 4000),)
            ),
            None,
        ),
        (
            Prompt(
                key="k", text="[Protea] The agent reviewer has ended:\ndone.\nIt is blue.", steer=True, origin="task"
            ),
            None,
        ),
        (Prompt(key="k", text="[Protea] The agent reviewer has ended:\ndone.", steer=True, origin="task"), False),
    ],
    "calls": [
        (Call(key="k", call=EDIT, state="success", result=ToolResult("ok", diff=unified(OLD, NEW, "widget.py"))), None),
        (
            Call(
                key="k",
                call=BASH,
                state="error",
                result=ToolResult("E  assert 1 == 2\nFAILED tests/x.py\n1 failed", is_error=True),
            ),
            None,
        ),
        (Call(key="k", call=BASH, state="awaiting_approval", why="no rule allows it"), None),
        (
            Call(
                key="k",
                call=BASH,
                state="cancelled",
                answer="refused: not now",
                result=ToolResult("", is_error=True, denied="you"),
            ),
            None,
        ),
        (
            Call(key="k", call=GREP, state="success", result=ToolResult("a.py:1:def render\nb.py:2:def render_all\n")),
            None,
        ),
        (Call(key="k", call=BASH, state="success", result=ToolResult("42 passed\nin 3 s", file="/tmp/out.txt")), False),
    ],
    "thoughts": [
        (Thought(key="k", text="First I look.\n\nThen I *think* about what I have seen there.\n\n- and list it"), None),
        (
            Thought(key="k", text="First I look.\n\nThen I *think* about what I have seen there.\n\n- and list it"),
            False,
        ),
    ],
    "notes": [
        (Question(key="k", asked="Which of the two?", options=("this one", "that one"), answer="that one"), None),
        (Question(key="k", asked="Is this the plan?", plan="1. read\n2. write"), None),
        (
            Todo(key="k", items=(TodoItem("read", "done"), TodoItem("write it down", "in_progress"), TodoItem("rest"))),
            None,
        ),
        (Job(key="k", title="the tests", state="running"), None),
        (Job(key="k", title="the tests", state="failed", detail="3 of 40"), None),
        (Marker(key="k", of="model", text="model: acme/big, effort high"), None),
        (Marker(key="k", of="compacted", text="summed up for the model", detail="It was *said* that …"), False),
        (
            Footer(
                key="k",
                outcome="finished",
                model="acme/big",
                usage=Usage(120_000, 3400, 90_000),
                cost_usd=0.1234,
                seconds=83.2,
            ),
            None,
        ),
        (
            Footer(
                key="k", outcome="error", error=Failure(kind="auth", message="The key is not valid."), model="acme/big"
            ),
            None,
        ),
        (Footer(key="k", outcome="limit", limit="turns"), None),
    ],
}


def rows_of(name: str, width: int) -> list[Row]:
    """All rows of a kind of content."""
    return [row for block, fold in CONTENT[name] for row in _rows(block, fold, width)]


def _rows(block: AnyBlock, fold: bool | None, width: int) -> list[Row]:
    return Entry(block).rows(width) if isinstance(block, Answer) else block_rows(block, width, fold)


def drawn(name: str, width: int) -> str:
    """The rows of a kind of content, as far as they are text."""
    lines = []
    for block, fold in CONTENT[name]:
        for row in _rows(block, fold, width):
            tail = f"  ⟨{row.tail[0].strip()}⟩" if row.tail is not None else ""
            lines.append(f"{row.drawn.rstrip()}{tail}")
        lines.append("·" * width)
    return "\n".join(lines) + "\n"


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name in CONTENT:
        for width in WIDTHS:
            (GOLDEN / f"{name}-{width}.txt").write_text(drawn(name, width), encoding="utf-8")


if __name__ == "__main__":
    main()
