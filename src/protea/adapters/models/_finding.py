"""Steps of the offline model that look for something: files are read, listed and searched, hits counted or replaced."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from msgspec.structs import replace

from protea.adapters.models._carrying import (
    Call,
    Doing,
    Done,
    Given,
    Past,
    Tools,
    block,
    code,
    counted,
    first_line,
    is_missing,
    lines_of,
    listed,
    one,
    says_nothing,
    told_total,
    trouble,
)
from protea.adapters.models._wanted import Files, Read, Replace, Search, Step, Tally
from protea.adapters.models._words import escaped

_FILES_EDITED = 20


def find(step: Read | Files | Search | Tally | Replace, tools: Tools, past: Past, following: Step | None) -> Doing:
    """Do one step. `following` is the next one, for what can be asked for together."""
    match step:
        case Read():
            return (yield from _read(step, tools))
        case Files():
            return (yield from _files(step, tools, past))
        case Search():
            return (yield from _search(step, tools, past, tally=isinstance(following, Tally)))
        case Tally():
            return (yield from _tally(step, tools, past))
        case Replace():
            return (yield from _replaced(step, tools))


# -- reading and listing


def _read(step: Read, tools: Tools) -> Doing:
    offset: int | None = None
    limit: int | None = None
    if step.tail is not None:
        offset, limit = -step.tail, step.tail
    elif step.first > 1 or step.last is not None:
        offset = step.first
        limit = None if step.last is None else step.last - step.first + 1
    given = yield tuple(
        tools.call("WebFetch", {"url": path})
        if path.startswith(("https://", "http://"))
        else tools.call("Read", {"path": path}, offset=offset, limit=limit)
        for path in step.paths
    )
    texts = []
    failed = False
    for path, each in zip(step.paths, given, strict=False):
        if each.is_error:
            failed = True
            texts.append(f"{path} could not be read: {first_line(each.text)}")
        else:
            texts.append((f"{path}:\n" if len(step.paths) > 1 else "") + block(each.text))
    return Done("\n\n".join(texts), failed, {"file": step.paths[0], "files": list(step.paths)})


def _files(step: Files, tools: Tools, past: Past) -> Doing:
    where = step.folder or "this project"
    if step.pattern == "*" and tools.knows("Read", "path"):
        given = one((yield (tools.call("Read", {"path": step.folder or "."}),)))
        return trouble(f"{where} could not be listed", given) if given.is_error else Done(block(given.text))
    given = one((yield (tools.call("Glob", {"pattern": step.pattern}, path=step.folder),)))
    if given.is_error:
        return trouble(f"{where} could not be listed", given)
    names = [] if says_nothing(given.text) else lines_of(given.text)
    total = max(len(names), told_total(given.text))
    past.files = total
    facts = {"count": total, "total": total, "files": names, "file": names[0] if names else None}
    if not total:
        return Done(f"There are no {step.what} in {where}.", facts=facts)
    be = "is" if total == 1 else "are"
    what = step.what.replace("files", "file", 1) if total == 1 else step.what
    head = f"There {be} {total:,} {what} in {where}"
    return Done(head + ("." if step.how == "count" else ":\n" + block(given.text)), facts=facts)


# -- searching


def _search(step: Search, tools: Tools, past: Past, *, tally: bool) -> Doing:
    calls = [_grep(step, tools)]
    counted = tally and step.how in ("lines", "files") and tools.knows("Grep", "output")
    if counted:
        calls.append(_grep(replace(step, how="count"), tools))
    given = yield tuple(calls)
    head = ""
    if is_missing(one(given)) and step.folder is not None:
        head, step, given = yield from _search_all(step, calls, tools, one(given))
    answer = one(given)
    if answer.is_error:
        return trouble("The search failed", answer)
    past.search, past.where = step, _where(step)
    counts = _counts(answer, step)
    if counted and len(given) > 1 and not given[1].is_error:
        exact = _counts(given[1], replace(step, how="count"))
        counts, answer_counts = exact if exact is not None else counts, given[1]
    else:
        answer_counts = answer
    past.counts, past.partial = counts, bool(told_total(answer_counts.text))
    if counts is None:
        return Done(head + f"Grep answered in a way I cannot read:\n{block(answer.text)}", failed=True)
    return Done(head + _told(step, answer.text, counts, past), facts=_facts(counts))


def _grep(step: Search, tools: Tools) -> Call:
    output: str | None = {"lines": "content", "files": "files"}.get(step.how, "count")
    choices = tools.schema("Grep", "output")
    if isinstance(choices, dict) and isinstance(choices.get("enum"), list) and output not in choices["enum"]:
        output = None
    limit = None if step.how == "lines" else 10_000
    return tools.call("Grep", {"pattern": step.pattern}, path=step.folder, glob=step.glob, output=output, limit=limit)


def _search_all(
    step: Search, calls: list[Call], tools: Tools, missing: Given
) -> Generator[tuple[Call, ...], tuple[Given, ...], tuple[str, Search, tuple[Given, ...]]]:
    """There is no such folder: say what there is instead, and search the whole project."""
    everywhere = replace(step, folder=None)
    again = [_grep(everywhere, tools)]
    if len(calls) > 1:
        again.append(_grep(replace(everywhere, how="count"), tools))
    looked = tools.knows("Read", "path")
    if looked:
        again.append(tools.call("Read", {"path": "."}))
    given = yield tuple(again)
    found = ""
    if looked and given and not given[-1].is_error:
        names = [line for line in given[-1].text.split("\n")[1:] if line.endswith("/")][:12]
        found = f" (the folders here are {listed(names)})" if names else " (there are no folders here)"
    if looked:
        given = given[:-1]
    head = f"There is no {step.folder} in this project{found}, so I searched all of it.\n\n"
    return head, everywhere, given


def _where(step: Search) -> str:
    where = f"in {step.folder}" if step.folder else "in this project"
    return f"{where}, among {step.glob} files" if step.glob else where


def _counts(given: Given, step: Search) -> dict[str, int] | None:
    """Hits per file; None where lines came and none of them can be read."""
    if says_nothing(given.text):
        return {}
    rows = lines_of(given.text)
    counts: dict[str, int] = {}
    counting = step.how not in ("lines", "files")
    for row in rows:
        if counting and (found := re.fullmatch(r"(.+):(\d{1,12})", row)) is not None:
            counts[found.group(1)] = counts.get(found.group(1), 0) + int(found.group(2))
        elif step.how == "files":
            counts[row] = 1
        elif (found := re.match(r"(.+?):(\d{1,9}):", row)) is not None:
            counts[found.group(1)] = counts.get(found.group(1), 0) + 1
    return counts or None


def _told(step: Search, text: str, counts: dict[str, int], past: Past) -> str:
    what = _what(step)
    if not counts:
        return f"There is no {what} {_where(step)}." + (_case(step) if step.unit == "line" else "")
    total = max(sum(counts.values()), told_total(text) if step.how == "lines" else 0)
    files = counted(len(counts), "file")
    match step.how:
        case "lines":
            return f"{counted(total, what, _whats(step))} in {files} {_where(step)}:\n{block(text)}"
        case "files":
            rows = block("\n".join(counts))
            return f"{files} with {code(step.shown)} {_where(step)}:\n{rows}"
        case "count":
            return f"{counted(total, what, _whats(step))} in {files} {_where(step)}.{_left_out(past)}"
        case how:
            return _ranking(Tally(how, step.top), step, counts, past)


def _case(step: Search) -> str:
    return "" if step.pattern.startswith("(?i)") else " (Capital and small letters were told apart.)"


def _what(step: Search) -> str:
    return "line" if step.unit != "line" else f"line with {code(step.shown)}"


def _whats(step: Search) -> str:
    return "lines" if step.unit != "line" else f"lines with {code(step.shown)}"


def _left_out(past: Past) -> str:
    return " The search was cut short, so there are more files than were counted." if past.partial else ""


def _facts(counts: dict[str, int]) -> dict[str, Any]:
    ordered = _ordered(counts)
    facts: dict[str, Any] = {"total": sum(counts.values()), "files": [name for name, _ in ordered], "file": None}
    facts["count"] = facts["total"]
    if ordered:
        facts["file"], facts["most"] = ordered[0]
    return facts


def _ordered(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _tally(step: Tally, tools: Tools, past: Past) -> Doing:
    search = past.search
    if search is None:
        if past.files is not None and step.how == "count":
            return Done(f"That makes {counted(past.files, 'file')}.", facts={"count": past.files, "total": past.files})
        return Done('Tell me what to count, for example `which file has the most "TODO" in src`.', failed=True)
    counts = past.counts
    if counts is None or search.how == "files":
        wanted = replace(search, how="count")
        answer = one((yield (_grep(wanted, tools),)))
        if answer.is_error:
            return trouble("The count failed", answer)
        counts, past.partial = _counts(answer, wanted), bool(told_total(answer.text))
        past.where = _where(search)
        if counts is None:
            return Done(f"Grep answered in a way I cannot read:\n{block(answer.text)}", failed=True)
        past.counts = counts
    if step.how == "count":
        total = sum(counts.values())
        text = f"{counted(total, _what(search), _whats(search))} in {counted(len(counts), 'file')} {_where(search)}."
        return Done(text + _left_out(past), facts=_facts(counts))
    facts = _facts(counts)
    if step.how == "fewest" and counts:
        facts["file"], facts["most"] = _ordered(counts)[-1]
    if counts:
        facts["count"] = facts["most"]
    return Done(_ranking(step, search, counts, past), facts=facts)


def _ranking(step: Tally, search: Search, counts: dict[str, int], past: Past) -> str:
    """Who has the most (or fewest), with ties named, and the figures behind it."""
    what = _whats(search)
    if not counts:
        return f"No file has any: there is no {_what(search)} {_where(search)}."
    ordered = _ordered(counts)
    if step.how == "fewest":
        ordered.reverse()
    total = sum(counts.values())
    best = ordered[0][1]
    first = sorted(name for name, number in ordered if number == best)
    most = "most" if step.how != "fewest" else "fewest"
    if step.how == "rank":
        text = f"{counted(total, _what(search), what)} in {counted(len(counts), 'file')} {_where(search)}, by file:"
    elif len(counts) == 1:
        text = f"{first[0]} is the only file with any: {counted(best, _what(search), what)} {_where(search)}."
    elif len(first) == 1:
        text = f"{first[0]} has the {most}: {best:,} of the {total:,} {what} {_where(search)}."
    else:
        named = listed(first) if len(first) <= 8 else ", ".join(first[:8]) + f" and {len(first) - 8} more"
        shared = f"{best:,} each of the {total:,} {what} {_where(search)}"
        text = f"{counted(len(first), 'file')} share the {most}, with {shared}: {named}."
    text += _left_out(past)
    shown = ordered[: step.top or 15]
    if len(counts) > 1 or step.how == "rank":
        width = max(len(f"{number:,}") for _, number in shown)
        rows = [f"{number:>{width},}  {name}" for name, number in shown]
        if len(shown) < len(ordered):
            rows.append(f"{'…':>{width}}  {len(ordered) - len(shown)} more files")
        text += "\n" + block("\n".join(rows))
    return text


# -- replacing


def _replaced(step: Replace, tools: Tools) -> Doing:
    where = step.where or "this project"
    shown = code(step.old if len(step.old) < 80 else step.old[:80] + "…")
    if "\n" in step.old:
        if step.where is None:
            return Done("Name the file in which several lines are to be replaced.", failed=True)
        files = [step.where]
    else:
        looked = Search(escaped(step.old), step.old, step.where, how="files" if step.every else "lines")
        given = one((yield (_grep(looked, tools),)))
        if given.is_error:
            return trouble(f"I could not look for {shown}", given)
        counts = _counts(given, looked)
        if counts is None:
            return Done(
                f"Grep answered in a way I cannot read, so nothing was changed:\n{block(given.text)}", failed=True
            )
        if not counts:
            return Done(f"{where} does not hold {shown}, so nothing was changed.", failed=True)
        if not step.every and sum(counts.values()) > 1:
            return Done(
                f"{shown} stands in {counted(sum(counts.values()), 'line')} of {where}, so nothing was changed; "
                f"say `replace every …` for all of them, or name more of the line:\n{block(given.text)}",
                failed=True,
            )
        if len(counts) > _FILES_EDITED or told_total(given.text):
            return Done(
                f"{shown} stands in {len(counts):,} files of {where}; I change at most {_FILES_EDITED} at once, so "
                "nothing was changed. Name a folder or file.",
                failed=True,
            )
        files = list(counts)
    arguments = {"old_string": step.old, "new_string": step.new}
    every = True if step.every else None
    edits = tuple(tools.call("Edit", {"path": path} | arguments, replace_all=every) for path in files)
    done = yield edits
    wrong = [f"{path}: {first_line(each.text)}" for path, each in zip(files, done, strict=False) if each.is_error]
    right = [each.text.rstrip() for each in done if not each.is_error]
    facts = {"files": files, "file": files[0], "count": len(right), "ok": not wrong}
    told = (
        [f"Replaced {shown} by {code(step.new)}:\n" + "\n".join(f"- {first_line(text)}" for text in right)]
        if right
        else []
    )
    if wrong or not done:
        told.append("Not changed:\n" + "\n".join(f"- {text}" for text in wrong or ["the tool gave no answer"]))
    return Done("\n\n".join(told), bool(wrong) or not done, facts)
