"""A session as a page: everything is there, and nothing in it does anything."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protea.domain.blocks import Answer, AnyBlock, Call, Footer, Job, Marker, Notice, Prompt, Question, Thought, Todo
from protea.domain.errors import Failure
from protea.domain.messages import Image, ToolCall
from protea.domain.session import SessionSummary
from protea.domain.tools import TodoItem, ToolResult
from protea.interfaces.html import block_html, html_foot, html_head
from protea.interfaces.html_markdown import markdown_html
from tests.interfaces.unclosed import UNCLOSED

TAGS = {
    "a", "blockquote", "code", "details", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li",
    "ol", "p", "pre", "s", "span", "strong", "summary", "table", "td", "th", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"class", "id", "href", "rel", "src", "alt", "open", "start", "title", "data-language"}
VOID = {"hr", "img"}


class Reader(HTMLParser):
    """Reads as a browser does; notes what should not be there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text = ""
        self.found: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attributes:
            if name not in ATTRIBUTES:
                self.found.append(f"{tag} {name}={value}")
            if name == "href":
                self.links.append(value or "")
            if name == "src" and not (value or "").startswith("data:image/"):
                self.found.append(f"src {value}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.found.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.found.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"declaration {decl}")

    def unknown_decl(self, data: str) -> None:
        self.found.append(f"declaration {data}")


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def all_kinds(text: str) -> list[AnyBlock]:
    call = ToolCall(id="c", name=text, arguments={"command": text})
    return [
        Prompt(key=text, text=text, origin=text, images=(Image(text, text), Image("image/png", "AAAA"))),
        Answer(key="k", text=text, gone=True),
        Thought(key="k", text=text),
        Call(key="k", call=call, state="success", result=ToolResult(text=text, images=(Image("image/svg+xml", text),))),
        Call(key="k", call=call, state="error", why=text, answer=text, result=ToolResult(text=text, diff=text)),
        Question(key="k", asked=text, options=(text,), plan=text, answer=text),
        Todo(key="k", items=(TodoItem(text),)),
        Job(key="k", title=text, state=text, detail=text),
        Notice(key="k", level="error", text=text),
        Marker(key="k", of="compacted", text=text, detail=text),
        Footer(key="k", outcome="error", error=Failure(kind="other", message=text), model=text),
    ]


PIECES = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</pre>", "<!--", "-->", "&lt;", "\"'",
    "`", "``", "```\n", "~~~\n", "[x](javascript:alert(1))", "[x](http://a.b/\"onclick=x)",
    "![y](data:text/html,x)", "https://a.b/<b>", "**", "*", "_", "~~", "# ", "- ", "  - ", "1. ", "> ",
    "| a | b |\n|---|---|\n", "\n", "\n\n", "    ", "\\", "[", "](", ")", "\x1b[31m", "\x00", "\u202e",
    "漢字", "word ",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=10), max_size=14).map("".join)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_nothing_anyone_wrote_becomes_a_tag_an_attribute_or_an_address(text: str) -> None:
    for block in all_kinds(text):
        page = read(block_html(block))
        assert page.found == [], type(block)
        assert page.open == [], type(block)
        assert all(link.lower().startswith(("http://", "https://", "mailto:")) for link in page.links)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# One *two*", "<h1>One <em>two</em></h1>"),
        ("a **b** `c<d>` ~~e~~ \\*f\\*", "<p>a <strong>b</strong> <code>c&lt;d&gt;</code> <s>e</s> *f*</p>"),
        ("one\ntwo\n\nthree", "<p>one\ntwo</p>\n<p>three</p>"),
        ("- a\n  - b\n- c", "<ul><li><p>a</p>\n<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("```py\nx < 1\n```", '<pre data-language="py"><code>x &lt; 1</code></pre>'),
        ("> a\n> b", "<blockquote><p>a\nb</p></blockquote>"),
        (
            "|a|b|\n|-|-|\n|1|`2`|",
            "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td><code>2</code></td></tr></table>",
        ),
        (
            "|a|b|c|\n|-:|:-:|:-|\n|1|2|3|",
            '<table><tr><th class="right">a</th><th class="middle">b</th><th>c</th></tr>'
            '<tr><td class="right">1</td><td class="middle">2</td><td>3</td></tr></table>',
        ),
        ("- [x] a\n- [ ] b", "<ul><li>☑ a</li><li>☐ b</li></ul>"),
        ("![a plot](plot.png)", "<p>▣ a plot</p>"),
        ("![a](http://b.c/d.png)", '<p><a href="http://b.c/d.png" rel="noreferrer noopener">▣ a</a></p>'),
        ("---", "<hr>"),
        ("[a](http://b.c)", '<p><a href="http://b.c" rel="noreferrer noopener">a</a></p>'),
        ("see https://b.c/d.", '<p>see <a href="https://b.c/d" rel="noreferrer noopener">https://b.c/d</a>.</p>'),
        ("[a](file:///etc/passwd)", "<p>a</p>"),
        ("<b>no</b>", "<p>&lt;b&gt;no&lt;/b&gt;</p>"),
        ("snake_case_name and 2 * 3 * 4", "<p>snake_case_name and 2 * 3 * 4</p>"),
    ],
)
def test_markdown_is_what_models_write(text: str, html: str) -> None:
    assert markdown_html(text) == html


def test_the_page_forbids_itself_to_load_or_run_anything() -> None:
    summary = SessionSummary(id="s", cwd="/<x>", created="c", updated="u", title="</title><script>")
    page = html_head(summary) + html_foot()
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "/&lt;x&gt;" in page
    assert "prefers-color-scheme:dark" in page


def test_a_change_shows_its_lines_and_a_call_its_object() -> None:
    edit = ToolCall(id="c", name="Edit", arguments={"path": "src/a.py"})
    block = Call(
        key="k", call=edit, state="success", result=ToolResult(text="", diff="--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n")
    )
    page = block_html(block)
    assert '<details class="call" open>' in page
    # The names of the files are no lines that came or went.
    assert '<span class="dim">--- a</span>\n<span class="dim">+++ b</span>\n' in page
    assert '<span class="del">-x</span><span class="add">+y</span>' in page
    assert "src/a.py" in read(page).text


def test_lines_that_look_like_the_head_of_a_diff_are_lines_once_it_has_begun() -> None:
    diff = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n--- old list item\n+++ new\n"
    edit = ToolCall(id="c", name="Edit", arguments={"path": "a"})
    page = block_html(Call(key="k", call=edit, state="success", result=ToolResult(text="", diff=diff)))
    assert '<span class="del">--- old list item</span><span class="add">+++ new</span>' in page
    two = "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n\\ No newline at end of file\n--- c\n+++ d\n@@ -0,0 +1 @@\n+z\n"
    page = block_html(Call(key="k", call=edit, state="success", result=ToolResult(text="", diff=two)))
    assert '<span class="dim">--- c</span>\n<span class="dim">+++ d</span>\n' in page
    assert page.count('class="add"') == 2


def test_a_picture_is_seen_without_being_opened_and_a_long_command_is_whole_once_it_is() -> None:
    look = ToolCall(id="c", name="Read", arguments={"path": "a.png"})
    page = block_html(
        Call(key="k", call=look, state="success", result=ToolResult(text="a", images=(Image("image/png", "AAAA"),)))
    )
    assert '<details class="call" open>' in page
    assert 'src="data:image/png;base64,AAAA"' in page
    command = "echo " + "word " * 40
    shut = block_html(
        Call(key="k", call=ToolCall(id="c", name="Bash", arguments={"command": command}), state="success")
    )
    assert '<details class="call">' in shut
    assert f"<pre>{command.strip()}" in shut


def test_times_are_written_as_people_write_them() -> None:
    page = block_html(Prompt(key="prompt:1", text="x", at="2026-11-28T16:23:52.455Z"))
    assert '<span class="at">2026-11-28 16:23 UTC</span>' in page
    assert read(block_html(Prompt(key="k", text="x", at="<b>"))).found == []


@pytest.mark.parametrize("text", UNCLOSED)
def test_marks_that_are_never_closed_take_no_longer_than_other_text(text: str) -> None:
    assert "end" in markdown_html(f"{text} end")


def test_signs_that_close_a_heading_are_left_out_and_others_stay() -> None:
    assert markdown_html("## Heading ##") == "<h2>Heading</h2>"
    assert markdown_html("# About C#") == "<h1>About C#</h1>"
