"""A session as one page of HTML that needs nothing else: no script, no address, nothing to load. Pure.

It is made of the same blocks as the screen. Everything in it is escaped, and the page forbids itself to load or run
anything, so a page made of what a model or a file said can be opened and passed on.
"""

from __future__ import annotations

import re
from html import escape

from protea.domain.blocks import Answer, AnyBlock, Call, Footer, Job, Marker, Notice, Prompt, Question, Thought, Todo
from protea.domain.columns import usage_text
from protea.domain.messages import Image
from protea.domain.plain import plain
from protea.domain.session import SessionSummary
from protea.domain.view import call_object, problem_lines, result_summary
from protea.interfaces.html_markdown import markdown_html
from protea.interfaces.terminal import one_line, visible

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1f26;--dim:#667085;--paper:#fff;--box:#f4f5f7;--line:#d9dde3;
--accent:#3b5bdb;--good:#17743b;--bad:#b3261e;--warn:#8a5a00;--add:#dff5e3;--del:#fbe3e1}
@media(prefers-color-scheme:dark){:root{--ink:#dfe3ea;--dim:#8b93a1;--paper:#14171c;--box:#1e232b;
--line:#323944;--accent:#8fb0ff;--good:#7fd1a0;--bad:#f28b82;--warn:#e8c07d;--add:#173322;--del:#3b1d1d}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:56rem;padding:1.5rem;background:var(--paper);color:var(--ink);
font:1rem/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
header{border-bottom:1px solid var(--line);margin-bottom:1.5rem}
h1{font-size:1.4rem}.answer h1{font-size:1.3rem}h2{font-size:1.15rem}h3,h4,h5,h6{font-size:1rem}
pre,code{font:.875rem/1.5 ui-monospace,"DejaVu Sans Mono",monospace}
pre{position:relative;background:var(--box);padding:.75rem;border-radius:.4rem;overflow:auto;white-space:pre-wrap;tab-size:4}
pre[data-language]::after{content:attr(data-language);position:absolute;top:.3rem;right:.6rem;color:var(--dim);font-size:.75rem}
code{background:var(--box);padding:.1em .3em;border-radius:.25em}pre code{padding:0;background:none}
a{color:var(--accent)}blockquote{margin:0;padding-left:1rem;border-left:3px solid var(--line)}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{border:1px solid var(--line);padding:.25rem .6rem;text-align:left;vertical-align:top}
.right{text-align:right}.middle{text-align:center}li>ul,li>ol,li>p{margin:0}
.prompt{background:var(--box);border-left:3px solid var(--accent);padding:.6rem 1rem;border-radius:.3rem;
margin:2rem 0 1rem;white-space:pre-wrap}.prompt .at{float:right;margin-left:1rem;font-size:.8rem}
.dim,.at,.footer,.marker,.about{color:var(--dim)}.footer,.marker{font-size:.85rem}
.call,.thought{margin:.35rem 0;font-size:.92rem}.thought{color:var(--dim);font-style:italic}
.call>pre{margin:.4rem 0 .8rem}summary{cursor:pointer}
.call summary{display:flex;gap:.5em;align-items:baseline}.call summary>*{flex:none;max-width:45%}
.call summary>.about{flex:0 1 auto;max-width:none;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.call summary>.said{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.call[open]>summary>.mark::before{content:"▾ "}.mark::before{content:"▸ ";color:var(--dim)}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.add,.del{display:block;margin:0 -.75rem;padding:0 .75rem}.add{background:var(--add)}.del{background:var(--del)}
.gone{opacity:.55}img{max-width:100%;height:auto}ul.todo{list-style:none;padding-left:.5rem}
@media screen{.call>pre{max-height:40rem}}
@media print{details{display:block}details>*{display:block}}
"""
_PART = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_IMAGES = re.compile(r"image/(?:png|jpeg|gif|webp)\Z")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*\Z")


def html_head(summary: SessionSummary) -> str:
    """The page up to its first block."""
    title = escape(one_line(summary.title) or "A session")
    facts = [
        f"session <code>{escape(summary.id)}</code> in <code>{escape(one_line(summary.cwd))}</code>",
        f"begun {_moment(summary.created)}, last {_moment(summary.updated)}",
        f"model <code>{escape(one_line(summary.model))}</code>, {escape(usage_text(summary.usage, summary.cost_usd))}",
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{title}</title><style>{_STYLE}</style></head>\n<body>'
        f"<header><h1>{title}</h1><p class=dim>{'<br>'.join(facts)}</p></header>\n<main>\n"
    )


def html_foot() -> str:
    """What closes the page."""
    return "</main></body></html>\n"


def block_html(block: AnyBlock) -> str:
    """One block, a line of its own."""
    inner = _inner(block)
    if block.gone:
        inner = f'<div class="gone" title="taken back">{inner}</div>'
    return f"{inner}\n" if inner else ""


def _inner(block: AnyBlock) -> str:
    match block:
        case Prompt():
            who = "" if block.origin == "user" else f'<div class="dim">{_line(block.origin)}</div>'
            images = "".join(_image(image) for image in block.images)
            at = f'<span class="at">{_moment(block.at)}</span>' if block.at else ""
            return f'<div class="prompt" id="{escape(block.key)}">{at}{who}{_text(block.text)}{images}</div>'
        case Answer():
            return f'<div class="answer">{markdown_html(visible(block.text))}</div>'
        case Thought():
            return f"<details class=thought><summary>thought</summary>{markdown_html(visible(block.text))}</details>"
        case Call():
            return _call(block)
        case Question():
            options = "".join(f"<li>{_line(option)}</li>" for option in block.options)
            answer = f"<p>→ {_line(block.answer)}</p>" if block.answer is not None else ""
            plan = markdown_html(visible(block.plan)) if block.plan else ""
            asked = f"<p><strong>{_text(block.asked)}</strong></p>"
            return f"<div class=question>{asked}{plan}<ol>{options}</ol>{answer}</div>"
        case Todo():
            boxes = {"done": "☑", "in_progress": "◐", "pending": "☐"}
            items = "".join(f"<li>{boxes[item.status]} {_line(item.text)}</li>" for item in block.items)
            return f'<ul class="todo">{items}</ul>'
        case Job():
            detail = f": {_line(block.detail)}" if block.detail else ""
            return f"<p>◆ {_line(block.title)} <span class=dim>{_line(block.state)}{detail}</span></p>"
        case Notice():
            kind = {"info": "dim", "warning": "warn", "error": "bad"}[block.level]
            return f'<p class="{kind}">{_text(block.text)}</p>'
        case Marker():
            if not block.detail:
                return f'<p class="marker">{_line(block.text)}</p>'
            detail = markdown_html(visible(block.detail))
            return f'<details class="marker"><summary>{_line(block.text)}</summary>{detail}</details>'
        case Footer():
            return _footer(block)


def _call(block: Call) -> str:
    kind = {"success": "good", "error": "bad"}.get(block.state, "dim")
    about = call_object(block.call)
    summary = result_summary(block.result) or block.state
    head = (
        f'<span class="mark {kind}">●</span> <strong>{_line(block.call.name)}</strong> '
        f'<span class="about">{_line(about[:2000])}</span> <span class="said {kind}">{_line(summary)}</span>'
    )
    # One line of it stands above, as far as there is room.
    parts = [f"<pre>{_text(about)}</pre>"] if "\n" in about.strip() or len(about) > 60 else []
    parts += [f'<p class="dim">{_line(each)}</p>' for each in (block.why, block.answer) if each]
    if block.result is not None:
        if block.result.diff:
            parts.append(_diff(block.result.diff))
            parts += [f'<p class="bad">{_line(line)}</p>' for _, line in problem_lines(block.result, 100)]
        elif block.result.text.strip():
            parts.append(f"<pre>{_text(block.result.text)}</pre>")
        parts += [_image(image) for image in block.result.images]
    is_open = " open" if block.result is not None and (block.result.diff or block.result.images) else ""
    return f'<details class="call"{is_open}><summary>{head}</summary>{"".join(parts)}</details>'


def _diff(diff: str) -> str:
    made = []
    has_no_parts = _PART.search(diff) is None
    before = after = 0  # lines of the part that are still to come
    for line in diff.removesuffix("\n").split("\n"):
        if head := _PART.match(line):
            before, after = (int(each or 1) for each in head.groups())
        in_part = has_no_parts or before > 0 or after > 0
        kind = {"+": "add", "-": "del"}.get(line[:1], "") if in_part and not head else "dim"
        if not head:
            before -= in_part and line[:1] not in ("+", "\\")
            after -= in_part and line[:1] not in ("-", "\\")
        # A line that is drawn from edge to edge ends by itself.
        end = "" if kind in ("add", "del") else "\n"
        made.append((f'<span class="{kind}">{_text(line) or " "}</span>' if kind else _text(line)) + end)
    return f"<pre>{''.join(made)}</pre>"


def _moment(at: str) -> str:
    """A time of the log, as people write it."""
    return escape(f"{at[:10]} {at[11:16]} UTC" if _TIME.match(at) else at)


def _footer(block: Footer) -> str:
    parts = []
    if block.outcome != "finished":
        why = block.error.message if block.error else block.limit or ""
        parts.append(f"{block.outcome}: {why}" if why else block.outcome)
    if block.model:
        parts.append(block.model)
    if block.usage.input or block.usage.output:
        parts.append(usage_text(block.usage, block.cost_usd))
    if block.seconds is not None:
        parts.append(f"{block.seconds:.1f} s")
    return f'<p class="footer">{_line(" · ".join(parts))}</p>' if parts else ""


def _image(image: Image) -> str:
    if not _IMAGES.match(image.media_type) or not _BASE64.match(image.data):
        return f'<p class="dim">▣ {_line(image.media_type)}</p>'
    source = f"data:{image.media_type};base64,{''.join(image.data.split())}"
    return f'<p><img alt="{image.media_type}" src="{source}"></p>'


def _line(text: str) -> str:
    return escape(one_line(plain(text)))


def _text(text: str) -> str:
    return escape(visible(plain(text)))
