"""grep, rg and find: which files they open, and whether they do no more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from protea.domain.pattern import regex
from protea.domain.permission.programs.options import Access, Spec, Studies, UnfitError, Use, read_options, spec, use
from protea.domain.permission.shell.script import Word, listed

GREP = spec(
    "-abcEFGhHiIlLnoPqsTuvwxyzZrRU --text --count --extended-regexp --fixed-strings --basic-regexp --no-filename"
    " --with-filename --ignore-case --no-ignore-case --files-with-matches --files-without-match --line-number"
    " --only-matching --perl-regexp --quiet --silent --no-messages --invert-match --word-regexp --line-regexp"
    " --dereference-recursive"
    " --null --null-data --recursive --color --color= --colour= --line-buffered --byte-offset --initial-tab -#",
    "-e -f:f -A -B -C -m -d -D --regexp --file:f --after-context --before-context --context --max-count --include"
    " --exclude --exclude-dir --label --binary-files --directories --devices",
    "",
)
RG = spec(
    "-aceFhHiIlLnNopPqsSTuvwxU0. --follow --text --count --count-matches --fixed-strings --no-filename --with-filename"
    " --ignore-case --case-sensitive --smart-case --files-with-matches --files-without-match --files --line-number"
    " --no-line-number --only-matching --pretty --pcre2 --quiet --invert-match --word-regexp --line-regexp --hidden"
    " --no-hidden --no-ignore --no-ignore-vcs --multiline --multiline-dotall --json --vimgrep --heading --no-heading"
    " --column --trim --stats --null --crlf --no-config --unrestricted --type-list --sort-files --no-messages"
    " --one-file-system --byte-offset --passthru --color= --glob-case-insensitive --no-ignore-parent -#",
    "-e -f:f -A -B -C -m -g -t -T -r -E -d -M -j --regexp --file:f --after-context --before-context --context"
    " --max-count --glob --iglob --type --type-not --replace --encoding --max-depth --max-columns --threads --color"
    " --colors --sort --sortr --max-filesize --context-separator --type-add --engine --path-separator",
    "",
)
_LITERAL = regex(r"[A-Za-z0-9_][A-Za-z0-9_ ,:=/#@%-]*")


def _needle(patterns: list[str], given: dict[str, list[str]]) -> str | None:
    inverted = any(option in given for option in ("-v", "--invert-match", "--passthru", "-f", "--file"))
    around = any(
        option in given
        for option in ("-A", "-B", "-C", "--after-context", "--before-context", "--context", "-z", "--null-data")
    )
    if len(patterns) == 1 and not inverted and not around and _LITERAL.fullmatch(patterns[0]):
        return patterns[0]
    return None


_TYPES = {
    "py": ("*.py", "*.pyi"),
    "js": ("*.js", "*.jsx", "*.cjs", "*.mjs", "*.vue"),
    "ts": ("*.ts", "*.tsx", "*.cts", "*.mts"),
    "rust": ("*.rs",),
    "go": ("*.go",),
    "java": ("*.java", "*.jsp", "*.jspx", "*.properties"),
    "c": ("*.[chH]", "*.cats", "*.[chH].in"),
    "cpp": ("*.[ChH]*", "*.cc", "*.cpp", "*.cxx", "*.hh", "*.inl"),
    "css": ("*.css", "*.scss"),
    "html": ("*.htm*", "*.ejs"),
    "md": ("*.md", "*.markdown", "*.mdown", "*.mdwn", "*.mkd", "*.mkdn", "*.mdx"),
}
"""rg's names for kinds of files, as patterns that take in at least those."""


def _only(given: dict[str, list[str]], always_tree: bool) -> tuple[str, ...]:
    """The names that files must have to be opened, where that is plain."""
    if not always_tree:
        names = given.get("--include", [])
    elif given.get("-g") or given.get("--glob"):
        names = given.get("-g", []) + given.get("--glob", [])
    else:
        kinds = given.get("-t", []) + given.get("--type", [])
        if any(kind not in _TYPES for kind in kinds):
            return ()
        names = [name for kind in kinds for name in _TYPES[kind]]
    odd = any(option in given for option in ("--iglob", "--glob-case-insensitive", "--type-add"))
    return () if odd or any(name.startswith("!") or set("{}/\\") & set(name) for name in names) else tuple(names)


def searching(words: Sequence[Word], uses: list[Use], row: Spec, always_tree: bool) -> None:
    operands, given = read_options(words, row, uses)
    follow = any(option in given for option in ("-R", "--dereference-recursive", "--follow")) or (
        always_tree and "-L" in given
    )
    patterns = given.get("-e", []) + given.get("--regexp", [])
    listing = always_tree and ("--files" in given or "--type-list" in given)
    if not patterns and "-f" not in given and "--file" not in given and not listing:
        if not operands:
            raise UnfitError("a pattern is missing")
        pattern = operands.pop(0)
        if not pattern.known or pattern.glob is not None:
            raise UnfitError("the pattern is not literal")
        patterns = [pattern.text]
    tree = (
        always_tree
        or (follow and not always_tree)
        or "-r" in given
        or "--recursive" in given
        or "recurse" in given.get("-d", []) + given.get("--directories", [])
    )
    needle = _needle(patterns, given)
    hidden = (
        not always_tree
        or any(option in given for option in ("-.", "--hidden", "--unrestricted"))
        # A glob or type that names a hidden file opens it, ignored or not.
        or any(option in given for option in ("-g", "--glob", "--iglob", "-t", "--type", "--type-add"))
        or len(given.get("-u", [])) > 1
    )
    only = _only(given, always_tree)
    for word in operands:
        if not word.known or not word.text:
            raise UnfitError("a path is not literal")
        if word.text != "-":
            access: Access = "list" if listing else "tree" if tree else "read"
            uses.append(Use(access, word.text, word.glob, needle if tree else None, hidden, follow, only))
    if tree and not operands:
        uses.append(Use("list" if listing else "tree", ".", None, needle, hidden, follow, only))


_FIND_ALONE = listed(
    """
    -print -print0 -ls -prune -true -false -not -a -o -and -or ( ) ! , -empty -depth -d -daystart -mount -xdev
    -noleaf -readable -writable -executable -nouser -nogroup -quit -ignore_readdir_race -noignore_readdir_race
    -nowarn -warn
    """
)
_FIND_VALUED = listed(
    """
    -name -iname -path -ipath -wholename -iwholename -regex -iregex -regextype -type -xtype -size -mtime -atime
    -ctime -mmin -amin -cmin -perm -user -group -uid -gid -links -inum -maxdepth -mindepth -lname -ilname
    -fstype -printf -used -newermt
    """
)
_FIND_FILE = listed("-newer -anewer -cnewer -samefile")


def finding(words: Sequence[Word], uses: list[Use], study: Studies) -> None:
    index = 1
    while index < len(words) and words[index].text in ("-P", "-H", "-O1", "-O2", "-O3"):
        index += 1
    starts: list[Word] = []
    while (
        index < len(words) and not words[index].text.startswith("-") and words[index].text not in ("(", "!", ")", ",")
    ):
        if not words[index].known or not words[index].text:
            raise UnfitError("a path is not literal")
        starts.append(words[index])
        index += 1
    content: list[Use] = []
    while index < len(words):
        word = words[index]
        index += 1
        if not word.known or word.glob is not None:
            raise UnfitError("a predicate is not literal")
        if word.text in _FIND_ALONE:
            continue
        if word.text in _FIND_VALUED or word.text in _FIND_FILE:
            if index >= len(words):
                raise UnfitError(f"{word.text} has no value")
            value = words[index]
            if not value.known or value.glob is not None:
                raise UnfitError(f"the value of {word.text} is not literal (quote it)")
            if word.text in _FIND_FILE:
                uses.append(Use("list", value.text))
            index += 1
            continue
        if word.text == "-exec":
            end = index
            while end < len(words) and words[end].text not in (";", "+"):
                end += 1
            # Links are found too, and what is run on them reads what they lead to.
            inner = _find_exec(words[index:end], starts, study)
            follow, only = not _only_files(words), _find_names(words)
            content.extend(
                msgspec.structs.replace(one, follow=follow, only=only) if one.access == "tree" else one for one in inner
            )
            index = end + 1
            continue
        raise UnfitError(f"{word.text} is not known to be harmless")
    uses.extend([use("list", start) for start in starts] or [Use("list", ".")])
    uses.extend(content)


def _only_files(words: Sequence[Word]) -> bool:
    """Whether find's own words leave nothing but regular files: `-type f`, and nothing that makes it one of several."""
    texts = [word.text for word in words]
    one = any(pair == ("-type", "f") for pair in pairwise(texts))
    return one and not {"-o", "-or", ",", "!", "-not", "-follow", "-L"}.intersection(texts)


def _find_names(words: Sequence[Word]) -> tuple[str, ...]:
    """The names that find's own words ask for, where they ask for one kind."""
    texts = [word.text for word in words]
    names = [second for first, second in pairwise(texts) if first == "-name"]
    several = {"-o", "-or", ",", "!", "-not", "(", "-L", "-follow"}.intersection(texts)
    return tuple(names) if len(names) == 1 and not several else ()


def _find_exec(inner: Sequence[Word], starts: Sequence[Word], study: Studies) -> list[Use]:
    """`find src -exec grep -n x {} +`: only what reads, and then it reads everything below the starts."""
    if not inner or any("{}" in word.text and word.text != "{}" for word in inner):
        raise UnfitError("-exec runs something that is not known to be harmless")
    done = study(inner)
    if not done.fit or inner[0].text in ("find", "git"):
        raise UnfitError("-exec runs something that is not known to be harmless")
    uses: list[Use] = []
    for one in done.uses:
        if one.path != "{}":
            uses.append(one)
        elif one.access in ("read", "tree"):
            uses.extend(Use("tree", s.text, s.glob) for s in starts)
            if not starts:
                uses.append(Use("tree", "."))
        elif one.access != "list":
            raise UnfitError("-exec writes")
    return uses
