"""Pages as people write them, and as nobody should, read as Markdown."""

from __future__ import annotations

import pytest

from protea.adapters.web._markdown import markdown
from protea.adapters.web._text import LARGE, shown

URL = "https://docs.example.org/3/library/x.html"
LONG = "<p>" + "what the page is about " * 20 + "</p>"

CASES = {
    "code says its language in many ways": (
        """<div class="highlight-python3 notranslate"><div class="highlight"><pre><span class="k">import</span> x
    y(&quot;a &lt; b&quot;)
</pre></div></div>
<pre><code class="language-rust">fn main() {}</code></pre>
<div class="highlight highlight-source-shell"><pre>git status</pre></div>
<pre class="brush: js notranslate"><code>const x = 1;</code></pre><pre data-lang="TOML">a = 1</pre>
<pre><code class="hljs go">x := 1</code></pre>
<div class="highlight-default"><div class="highlight"><pre>plain</pre></div></div>""",
        """```python
import x
    y("a < b")
```

```rust
fn main() {}
```

```shell
git status
```

```js
const x = 1;
```

```toml
a = 1
```

```go
x := 1
```

```
plain
```""",
    ),
    "a fence is longer than what it holds": ("<pre>```\nx\n```</pre>", "````\n```\nx\n```\n````"),
    "numbers of lines are no code": (
        "<table class=highlighttable><tr><td class=linenos><pre>1\n2</pre></td><td class=code><div class=highlight>"
        "<pre>a\nb</pre></div></td></tr></table>",
        "```\na\nb\n```",
    ),
    "a table has its head, its bars and its wide cells": (
        "<table><caption>Options</caption><thead><tr><th>Name<th>Type | kind</tr></thead><tr><td>a<td><code>int</code>"
        "<tr><td>b<br>c<td><p>one<p>two<tr><td colspan=2>wide</table>",
        "**Options**\n\n| Name | Type \\| kind |\n| --- | --- |\n| a | `int` |\n| b c | one two |\n| wide |  |",
    ),
    "what a table only puts side by side is no table": (
        "<table><tr><td><h2>Left</h2><p>words</p></td><td><pre>code</pre></td></tr></table>",
        "## Left\n\nwords\n\n```\ncode\n```",
    ),
    "lists in lists keep their depth, numbers and code": (
        "<ul><li>one<ul><li>deeper<ol><li>a<li>b</ol></ul><li><p>two</p><p>more</p><li>three<pre>x\ny</pre></ul>"
        "<ol start=3><li>third</li><li>fourth</li></ol>",
        "- one\n  - deeper\n    1. a\n    2. b\n\n- two\n\n  more\n\n"
        "- three\n\n  ```\n  x\n  y\n  ```\n\n3. third\n4. fourth",
    ),
    "a list to be ticked off": (
        "<ul><li><input type=checkbox checked> done</li><li><input type=checkbox> open</li></ul>",
        "- [x] done\n- [ ] open",
    ),
    "terms and signatures": (
        '<dl class="py function"><dt class="sig" id="asyncio.run">asyncio.<span>run</span>(<em>coro</em>, <em>*</em>, '
        '<em>debug=None</em>)<a class="headerlink" href="#x">¶</a></dt><dd><p>Run it.</p><p>More.</p></dd></dl>'
        "<dl><dt>GET</dt><dd>asks</dd><dt>PUT<dd>puts</dl>",
        "`asyncio.run(coro, *, debug=None)`\n\nRun it.\n\nMore.\n\n- **GET**: asks\n- **PUT**: puts",
    ),
    "links are whole, and signs beside headings are none": (
        '<h2 id=a>Head<a class="headerlink" href="#a">¶</a> <a href="#a">#</a></h2><p><a href="../up.html#top">up</a> '
        '<a href="?q=1">query</a> <a href="#here">here</a> <a href="javascript:alert(1)">run</a> '
        '<a href="/a (b).html">odd'
        '</a> <a href="//other.example/">other</a> '
        '<a href="http://[bad">bad</a> <a href=https://x.org/>https://x.org/</a></p>',
        "## Head\n\n[up](https://docs.example.org/3/up.html#top) [query](https://docs.example.org/3/library/x.html?q=1)"
        " here run [odd](https://docs.example.org/a%20%28b%29.html) [other](https://other.example/) bad <https://x.org/>",
    ),
    "a base is what links are relative to": (
        '<head><base href="/v2/"></head><a href="a.html">a</a>',
        "[a](https://docs.example.org/v2/a.html)",
    ),
    "a card is one link": (
        '<a href="/x"><div><h3>Title</h3><p>Some words</p></div></a>',
        "[Title Some words](https://docs.example.org/x)",
    ),
    "powers are not digits more": ("<p>10<sup>9</sup> of H<sub>2</sub>O <sup><a>[1]</a></sup></p>", "10^9 of H2O [1]"),
    "a formula is its TeX": (
        '<p>so <math><semantics><mi>x</mi><annotation encoding="application/x-tex">x^2'
        "</annotation></semantics></math></p>",
        "so $x^2$",
    ),
    "a picture is what it shows": (
        '<img src=a.png alt="the loop"><figure><img src=b.png><figcaption>Fig 1</figcaption></figure>',
        "[image: the loop]\n\n*Fig 1*",
    ),
    "quotes and notes": (
        '<blockquote><p>said <b> loud </b></p><p>twice</p></blockquote><div class="admonition note">'
        '<p class="admonition-title">Note</p><p>Be careful.</p></div>'
        "<details><summary>More</summary><p>inside</p></details>",
        "> said **loud**\n>\n> twice\n\n**Note**\n\nBe careful.\n\n**More**\n\ninside",
    ),
    "a form is its words, without what is typed into": (
        "<form><label>Search <input name=q></label><select><option>A</select><button>Go</button>"
        "<p>Words in it</p></form>",
        "Search\n\nWords in it",
    ),
    "what is hidden, runs or leads around is not there": (
        '<nav>menu</nav><p>seen</p><p hidden>a</p><p style="display: none">b</p><span aria-hidden=true>c</span>'
        "<script>if (a</b) '<p>d</p>'</script><style>e</style><noscript>f</noscript>"
        "<template>g</template><svg><text>h</text></svg>",
        "seen",
    ),
    "what stands around on all pages is left out": (
        f"<header>Site</header><div role=main>{LONG}</div><footer>Copyright</footer>",
        ("what the page is about " * 20).strip(),
    ),
    "but not where hardly anything is said to be the main thing": (
        "<header>Site</header><main>loading</main><div>The words</div>",
        "Site\n\nloading\n\nThe words",
    ),
    "paragraphs, items and cells end by themselves": (
        "<p>a<p>b<div>c</div><ul><li>d<li>e</ul>f",
        "a\n\nb\n\nc\n\n- d\n- e\n\nf",
    ),
    "letters of all kinds": (
        "<p>&lt;tag&gt; &amp; caf&eacute; &#x1F98A; 2 * 3, a_b_c</p>",
        "<tag> & café 🦊 2 * 3, a_b_c",
    ),
    "less than is a sign": ("<p>a < b and 1<2</p>", "a < b and 1<2"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_a_page_as_markdown(case: str) -> None:
    html, expected = CASES[case]
    assert markdown(html, URL) == expected


N = 30_000
HOSTILE = [
    *("<div>" * N, "<ul><li>" * N, "<table><tr><td>" * N, "<b>" * N + "x", "</p>" * N, "<!--" * N, "<![CDATA[" * N),
    *(
        "<a b='" * N,
        '<a b="' * N,
        "<a " * N,
        "<a b=" * N,
        "<" * N,
        "</" * N,
        "<script>" * N,
        "<pre>" * N,
        "<dl><dt>x" * N,
    ),
    *(
        "&#" * N,
        "&" * N,
        "`" * N,
        "<code>" + "`" * N,
        "<sup>" * N,
        "<td colspan=9999999999>" * 500,
        "<ol start=-9>" * N,
    ),
    *("<blockquote>" * N + "x", "<a href=x>" * N + "y", "\0" * N, " \n" * N, "<p>" + "*_ " * N, "<div hidden>" * N),
    *("<details><summary>" * N, "<x " + "a=1 " * N + ">", "<" + "x" * N + ">", "<h1>" * N + "x", "<em>*" * N),
]


@pytest.mark.parametrize("html", HOSTILE, ids=range(len(HOSTILE)))
def test_what_nobody_closes_is_read_in_one_go(html: str) -> None:
    # Read with the square of its length one of these would take minutes: the time-out of a test is what is held to.
    assert len(markdown(html, URL)) <= 4 * len(html)


def test_a_large_page_is_read_too() -> None:
    page = "<html><title>T</title><body>" + "<h2>Part</h2><p>words of it</p>" * (LARGE // 30) + "</body></html>"
    assert len(page) > LARGE
    title, text, kind = shown(page.encode(), "text/html", URL, cut=False)
    assert (title, kind) == ("T", "text/html")
    assert text.count("## Part") == LARGE // 30
