"""What a git command does: the reading subcommands with their options, and the options no starred rule covers.

Reading is only safe in the repository the session works in, whose configuration the adapter has looked at; so each
reading command carries a `repository` use. `study` calls this.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from protea.domain.pattern import regex
from protea.domain.permission.programs.options import Spec, Study, UnfitError, Use, assign, read_options, spec
from protea.domain.permission.shell.script import Word, listed

_DIFF = (
    "-pusawbzRWM --patch --no-patch --stat --stat= --shortstat --numstat --name-only --name-status --summary --cached"
    " --staged --merge-base --color --color= --no-color --word-diff --word-diff= --color-words --ignore-all-space"
    " --ignore-space-change --ignore-blank-lines --ignore-space-at-eol --minimal --patience --histogram --find-renames"
    " --find-renames= --find-copies --no-renames --raw --check --exit-code --quiet --no-ext-diff --no-textconv"
    " --compact-summary --dirstat --dirstat= --full-index --binary --abbrev --abbrev= --no-prefix --relative"
    " --relative="
    " --function-context --text --cc --no-color-moved --color-moved --patch-with-stat --submodule --submodule= --null"
    " --ignore-submodules --ignore-submodules= --pickaxe-all --pickaxe-regex --irreversible-delete"
    " --ita-invisible-in-index"
)
_DIFF_VALUED = (
    "-U -S -G -l --unified --diff-filter --diff-algorithm --inter-hunk-context --anchored --src-prefix --dst-prefix"
)
_LOG = (
    _DIFF
    + " -giEFcmt --oneline --graph --all --decorate --decorate= --no-decorate --branches --branches= --tags --tags="
    " --remotes --remotes= --merges --no-merges --first-parent --follow --reverse --pretty --pretty= --abbrev-commit"
    " --no-abbrev-commit --left-right --left-only --right-only --cherry --cherry-pick --cherry-mark --topo-order"
    " --date-order --author-date-order --full-history --simplify-by-decoration --simplify-merges --ancestry-path"
    " --source --walk-reflogs --no-walk --no-notes --notes --regexp-ignore-case --extended-regexp --fixed-strings"
    " --all-match --invert-grep --relative-date --parents --children --boundary --dense --sparse --count --objects"
    " --reflog --clear-decorations --no-mailmap --use-mailmap --mailmap --show-pulls --root --header --log-size -#"
)
_LOG_VALUED = (
    _DIFF_VALUED
    + " -n -L --format --date --since --until --after --before --author --committer --grep --max-count --skip --exclude"
    " --min-parents --max-parents --encoding --since-as-filter --decorate-refs --decorate-refs-exclude"
    " --glob --grep-reflog"
)
_LISTED = "--format --sort --points-at --column --color --count"
_WHICH = ("--contains", "--no-contains", "--merged", "--no-merged", "--points-at", "--list", "-l")

# subcommand: options, options with value, operands (r: revision or path, t: text, empty: none)
_ROWS = {
    "status": (
        "-sbvzu --short --branch --long --verbose --show-stash --porcelain --porcelain= --ahead-behind"
        " --no-ahead-behind"
        " --ignored --ignored= --untracked-files --untracked-files= --renames --no-renames --ignore-submodules --column"
        " --no-column",
        "",
        "r*",
    ),
    "diff": (_DIFF, _DIFF_VALUED, "r*"),
    "log": (_LOG, _LOG_VALUED, "r*"),
    "show": (_LOG, _LOG_VALUED, "r*"),
    "whatchanged": (_LOG, _LOG_VALUED, "r*"),
    "rev-list": (_LOG, _LOG_VALUED, "r*"),
    "reflog": (_LOG, _LOG_VALUED, "r*"),
    "shortlog": (
        "-sncegH --summary --numbered --committer --email --all --no-merges --merges",
        "-w --since --until --after --before --format --author --group",
        "r*",
    ),
    "diff-tree": (_LOG, _LOG_VALUED, "r*"),
    "diff-index": (_DIFF, _DIFF_VALUED, "r*"),
    "diff-files": (_DIFF, _DIFF_VALUED, "r*"),
    "range-diff": (_DIFF, _DIFF_VALUED, "r*"),
    "blame": (
        "-bwelstfnpcCM --root --porcelain --line-porcelain --show-email --show-name --show-number"
        " --show-stats --color-lines"
        " --color-by-age --minimal --incremental --first-parent",
        "-L --date --abbrev --since --ignore-rev",
        "r*",
    ),
    "annotate": ("-l -t", "-L", "r*"),
    "grep": (
        "-IaivwhHEGPFnlLzocpWq --text --ignore-case --word-regexp --invert-match --full-name --extended-regexp"
        " --basic-regexp --perl-regexp --fixed-strings --line-number --column --files-with-matches --name-only"
        " --files-without-match --only-matching --count --color --color= --no-color --break --heading --show-function"
        " --function-context --quiet --all-match --cached --untracked --recurse-submodules -#",
        "-e -A -B -C --after-context --before-context --context --max-depth --threads -m --max-count",
        "tr*",
    ),
    "branch": (
        "-arvlqi --all --remotes --verbose --list --show-current --ignore-case --no-column --no-color"
        " --color --column --contains --no-contains --merged --no-merged --omit-empty",
        _LISTED,
        "t*",
    ),
    "tag": (
        "-li --list --ignore-case --no-column --color --column --contains --no-contains --merged --no-merged -n -#",
        _LISTED,
        "t*",
    ),
    "remote": ("-v --verbose", "", ""),
    "rev-parse": (
        "-q --verify --quiet --short --short= --abbrev-ref --abbrev-ref= --symbolic --symbolic-full-name"
        " --show-toplevel"
        " --show-prefix --show-cdup --show-superproject-working-tree --git-dir --absolute-git-dir --git-common-dir"
        " --is-inside-git-dir --is-inside-work-tree --is-bare-repository --is-shallow-repository --all"
        " --branches --tags"
        " --remotes --revs-only --no-revs --flags --no-flags --show-object-format",
        "",
        "r*",
    ),
    "ls-files": (
        "-cdmoistuvzfk --cached --deleted --modified --others --ignored --stage --unmerged --killed --exclude-standard"
        " --full-name --error-unmatch --eol --directory --no-empty-directory --deduplicate"
        " --recurse-submodules --abbrev",
        "-x --exclude --with-tree --format",
        "r*",
    ),
    "ls-tree": (
        "-drtlz --long --name-only --name-status --object-only --full-name --full-tree",
        "--format --abbrev",
        "r*",
    ),
    "cat-file": ("-tspe", "", "r*"),
    "describe": (
        "--all --tags --contains --always --dirty --dirty= --broken --long --exact-match --first-parent",
        "--abbrev --candidates --match --exclude",
        "r*",
    ),
    "merge-base": ("-a --all --octopus --independent --is-ancestor --fork-point", "", "r*"),
    "name-rev": ("--tags --all --name-only --no-undefined --always", "--refs --exclude", "r*"),
    "for-each-ref": ("--ignore-case", "--format --sort --count --points-at --contains --merged --no-merged", "t*"),
    "show-ref": ("-hds --head --heads --tags --branches --dereference --hash --verify -q --quiet --abbrev", "", "t*"),
    "show-branch": ("-a -r --all --remotes --list --current --topo-order --sha1-name", "", "t*"),
    "symbolic-ref": ("-q --short --quiet", "", "t"),
    "count-objects": ("-vH --verbose --human-readable", "", ""),
    "check-ignore": ("-vnq --verbose --non-matching --quiet --no-index", "", "r*"),
    "check-attr": ("-a --all --cached", "", "tr*"),
    "cherry": ("-v --abbrev", "", "r*"),
    "diff-pairs": ("", "", ""),
    "stash list": (_LOG, _LOG_VALUED, "t*"),
    "stash show": (_DIFF, _DIFF_VALUED, "t*"),
    "worktree list": ("-v -z --porcelain --verbose", "", ""),
    "remote get-url": ("--all --push", "", "t"),
    "notes list": ("", "", "t"),
    "notes show": ("", "", "t"),
    "submodule-summary": ("", "", ""),
    "version": ("--build-options", "", ""),
}
_NO_REPOSITORY = frozenset({"version"})

_GLOBAL_HARMLESS = listed(
    """
    --no-pager -P --no-optional-locks --literal-pathspecs --no-replace-objects --no-lazy-fetch
    """
)
_GLOBAL_VALUED = listed(
    """
    -C -c --git-dir --work-tree --namespace --exec-path --config-env --super-prefix --attr-source --list-cmds
    """
)

_HAZARDOUS_LONG = [
    "--output",
    "--output-directory",
    "--open-files-in-pager",
    "--upload-pack",
    "--receive-pack",
    "--exec",
    "--ext-diff",
    "--textconv",
    "--extcmd",
    "--config",
    "--template",
    "--separate-git-dir",
    "--no-index",
    "--contents",
    "--tree-filter",
    "--index-filter",
    "--msg-filter",
    "--env-filter",
    "--commit-filter",
    "--tag-name-filter",
    "--parent-filter",
    "--exec-path",
    "--git-dir",
    "--work-tree",
    "--to-command",
    "--remote",
    "--show-signature",
    "--filters",
    "--edit",
    "--smtp-server",
    "--sendmail-cmd",
    "--tool",
    "--use-compress-program",
    "--strategy",
    "--gpg-sign",
    "--interactive",
    "--pathspec-from-file",
    "--exclude-from",
    "--ignore-revs-file",
    "--orderfile",
    "--reference",
    "--config-env",
]
_HAZARDOUS_SHORT = {
    "grep": ("-O", "-f"),
    "diff": ("-O",),
    "log": ("-O",),
    "show": ("-O",),
    "rebase": ("-x", "-i"),
    "clone": ("-c", "-u"),
    "archive": ("-o",),
    "format-patch": ("-o",),
    "ls-remote": ("-u",),
    "difftool": ("-x", "-t"),
    "blame": ("-S",),
}
_HAZARDOUS_COMMANDS = listed(
    """
    config difftool mergetool filter-branch hook daemon instaweb send-email web--browse upload-pack receive-pack
    shell http-backend fast-import credential credential-store credential-cache remote-ext remote-fd maintenance
    bugreport var gui citool cvsserver p4 svn imap-send diagnose help update-server-info replace filter-repo
    send-pack http-push
    """
)
_OVERWRITING = ("--force", "--force-with-lease", "--mirror", "--prune", "--delete")
"""Options of `git push` by which others lose what they have."""
OWN = listed(
    """
    add am annotate apply archive bisect blame branch bugreport bundle cat-file check-attr check-ignore check-mailmap
    check-ref-format checkout checkout-index cherry cherry-pick clean clone column commit commit-graph commit-tree
    config count-objects credential credential-cache credential-store daemon describe diagnose diff diff-files
    diff-index diff-pairs diff-tree difftool fast-export fast-import fetch fetch-pack filter-branch fmt-merge-msg
    for-each-ref for-each-repo format-patch fsck gc get-tar-commit-id grep hash-object help history hook http-backend
    http-fetch http-push imap-send index-pack init init-db instaweb interpret-trailers last-modified log ls-files
    ls-remote ls-tree mailinfo mailsplit maintenance merge merge-base merge-file merge-index merge-one-file merge-tree
    mergetool mktag mktree multi-pack-index mv name-rev notes pack-objects pack-redundant pack-refs patch-id prune
    prune-packed pull push quiltimport range-diff read-tree rebase receive-pack reflog refs remote remote-ext
    remote-fd remote-http remote-https repack replace replay repo request-pull rerere reset restore rev-list rev-parse
    revert rm send-email send-pack shell shortlog show show-branch show-index show-ref sparse-checkout stage stash
    status stripspace submodule subtree switch symbolic-ref tag unpack-file unpack-objects update-index update-ref
    update-server-info upload-archive upload-pack var verify-commit verify-pack verify-tag version whatchanged
    worktree write-tree
    """
)
"""What git itself has. Anything else is an alias or somebody's program."""


@lru_cache(maxsize=1)
def _rows() -> dict[str, tuple[Spec, str]]:
    return {name: (spec(flags, valued, ""), operands) for name, (flags, valued, operands) in _ROWS.items()}


def without_globals(texts: Sequence[str]) -> tuple[str, ...]:
    """`git -C x push` → `git push`: the words with options before the subcommand dropped, for deny and ask rules."""
    index = 1
    while index < len(texts) and texts[index].startswith("-"):
        index += 2 if texts[index] in _GLOBAL_VALUED else 1
    return (texts[0], *texts[index:]) if texts else ()


def study_git(words: Sequence[Word]) -> Study:
    """What a git command does. Never raises."""
    uses: list[Use] = []
    hazard = _hazard(words)
    try:
        _read(words, uses)
    except UnfitError as unfit:
        writes = []
        texts = without_globals([word.text for word in words])
        if texts[1:2] == ("config",):
            writes = [Use("write", ".git/config")]
        writes += _written(texts[1:2], words)
        return Study(False, str(unfit), (*writes, *_named(words)), True, hazard)
    return Study(True, uses=tuple(uses), known=True, hazard=hazard)


def _read(words: Sequence[Word], uses: list[Use]) -> None:
    rest = list(words[1:])
    while rest and rest[0].text in _GLOBAL_HARMLESS:
        rest.pop(0)
    if not rest or not rest[0].known or rest[0].glob is not None:
        raise UnfitError("no subcommand is named")
    if rest[0].text == "--version" and len(rest) == 1:
        return
    if rest[0].text.startswith("-"):
        raise UnfitError(f"git {rest[0].text[:40]} points git at something else")
    name = rest[0].text
    if len(rest) > 1 and f"{name} {rest[1].text}" in _ROWS:
        name = f"{name} {rest[1].text}"
        rest.pop(0)
    if name == "config":
        _config(rest)
    elif name not in _ROWS:
        raise UnfitError(f"git {name[:40]} is not known to only read")
    else:
        _row(name, rest, uses)
    if name not in _NO_REPOSITORY:
        uses.append(Use("repository", "."))


_READABLE_KEY = regex(
    r"(user\.(name|email)|remote\.[\w./-]+\.(fetch|url|pushurl)|init\.defaultbranch|branch\.[\w./-]+\.\w+|core\.(bare|filemode|autocrlf|ignorecase|editor|hookspath))\Z",
    re.IGNORECASE,
)


def _config(rest: list[Word]) -> None:
    texts = [word.text for word in rest[1:]]
    if len(texts) == 2 and texts[0] in ("--get", "get"):
        texts = texts[1:]
    if len(texts) != 1 or not _READABLE_KEY.match(texts[0]):
        raise UnfitError("git config may write, or show credentials")


def _row(name: str, rest: list[Word], uses: list[Use]) -> None:
    row, form = _rows()[name]
    cleaned = [
        word for word in rest if not re.fullmatch(r"-[MC]\d*%?|-u(no|normal|all)|-B\d*", word.text) or not word.known
    ]
    found: list[Use] = []
    operands, given = read_options(cleaned, row, found)
    for values in given.values():
        if any("%G" in value for value in values):
            raise UnfitError("a format with %G runs gpg")
    if name == "branch" and operands and not any(option in given for option in _WHICH):
        raise UnfitError("it creates a branch")
    if name == "tag" and operands and not any(option in given for option in _WHICH):
        raise UnfitError("it creates a tag")
    if name == "reflog" and operands and operands[0].text in ("expire", "delete", "drop", "write"):
        raise UnfitError("it changes the reflog")
    if name == "grep" and ("-e" in given):
        form = "r*"
    for values in (given.get("-L", []),):
        for value in values:
            if ":" in value and name != "blame":
                found.append(Use("read", value.rpartition(":")[2]))
    if any(word.text.startswith("-") for word in operands if not word.known):
        raise UnfitError("an operand is not literal")
    kinds = form.removesuffix("*")
    for index, word in enumerate(operands):
        if index >= len(kinds) and not form.endswith("*"):
            raise UnfitError("it has an operand too many")
        kind = kinds[min(index, len(kinds) - 1)] if kinds else ""
        if not word.known:
            raise UnfitError("a revision or path is not literal")
        if kind == "r":
            found.extend(_revision_or_path(word))
        elif word.glob is not None:
            assign([word], "t", found)
    uses.extend(found)


def _revision_or_path(word: Word) -> list[Use]:
    text = word.text
    if not text or "::" in text:
        raise UnfitError("a revision or path is unusual")
    found = [Use("read", text, word.glob)]
    if ":" in text and not text.startswith(":("):
        path = text.split(":", 1)[1]
        path = re.sub(r"\A[0-3]:", "", path)
        if path and not path.startswith("/"):
            found.append(Use("read", path))
    elif text.startswith(":("):
        raise UnfitError("a pathspec has magic")
    return found


_WRITING = {"restore": 0, "rm": 0, "mv": 0, "checkout": 1, "checkout-index": 0, "reset": 1, "clean": 0}
"""Subcommands that change the files they name in the working tree; 1 where `--` tells files from revisions."""


def _written(name: tuple[str, ...], words: Sequence[Word]) -> list[Use]:
    """`git checkout -- a.txt`, `git mv a b`, `git worktree add ../x`: what a rule on writing should see."""
    index = next((i for i, word in enumerate(words) if name and word.text == name[0]), len(words))
    rest = list(words[index + 1 :])
    if name == ("worktree",) and rest and rest[0].text in ("add", "move", "remove"):
        return [Use("write", word.text) for word in rest[1:] if "/" in word.text and not word.text.startswith("-")]
    if not name or name[0] not in _WRITING:
        return []
    texts = [word.text for word in rest]
    if _WRITING[name[0]] and "--" in texts:
        rest = rest[texts.index("--") + 1 :]
    return [Use("write", word.text, word.glob) for word in rest if word.text and not word.text.startswith("-")]


def _named(words: Sequence[Word]) -> list[Use]:
    """Paths a deny rule should see in a git command that does more than read: `git add .env`, `git show HEAD:.env`."""
    if "commit" in [word.text for word in words[:4]]:
        words = [
            w for i, w in enumerate(words) if i < 2 or words[i - 1].text not in ("-m", "-am", "--message", "--author")
        ]
    found = []
    for word in words[2:]:
        text = word.text
        if text.startswith("-"):
            text = text.partition("=")[2]
        if text and len(text) < 4096 and "\n" not in text:
            found.append(Use("read", text, word.glob if text == word.text else None))
            if ":" in text and "://" not in text:
                found.append(Use("read", text.split(":", 1)[1].lstrip("/") or "."))
    return found


def _hazard(words: Sequence[Word]) -> str | None:
    texts = [word.text for word in words[1:]]
    index = 0
    while index < len(texts) and texts[index].startswith("-"):
        if texts[index] not in _GLOBAL_HARMLESS and texts[index] not in ("--version", "--help", "-h", "-v"):
            return f"git {texts[index][:40]} points git at another place or program"
        index += 1
    if index >= len(texts):
        return None
    name, rest = texts[index], texts[index + 1 :]
    if name in _HAZARDOUS_COMMANDS and not (name == "config" and _is_reading_config(words)):
        return f"git {name} can run or reconfigure things"
    if (name == "bisect" and rest[:1] == ["run"]) or (name == "submodule" and rest[:1] == ["foreach"]):
        return f"git {name} {rest[0]} runs a command"
    for text in rest:
        if text == "--":
            break
        if text.startswith("--") and len(text) > 3:
            option = text.partition("=")[0]
            for dangerous in _HAZARDOUS_LONG:
                if dangerous.startswith(option) or option.startswith(dangerous + "-"):
                    return f"git {name} {dangerous} can run, write or read something else"
        for short in _HAZARDOUS_SHORT.get(name, ()):
            if text.startswith(short):
                return f"git {name} {short} can run, write or read something else"
    for text in texts:
        if re.match(r"(ext|fd)::", text):
            return "the address runs a command"
    return _overwriting(rest) if name == "push" else None


def _overwriting(rest: Sequence[str]) -> str | None:
    """Whether a push rewrites or removes what was published: by an option, however it is shortened, or by what it says
    of a branch (`+main`, `:main`)."""
    options = True
    for text in rest:
        options = options and text != "--"
        if options and text.startswith("--"):
            option = text.partition("=")[0]
            if len(option) > 2 and any(each.startswith(option) for each in _OVERWRITING):
                return f"git push {option} rewrites what was published"
        short = options and re.match(r"-[A-Za-z0-9]*[fd]", text) and not text.startswith("-o")
        if short or text.startswith(("+", ":")):
            return f"git push {text[:40]} rewrites what was published"
    return None


def _is_reading_config(words: Sequence[Word]) -> bool:
    try:
        _read(words, [])
    except UnfitError:
        return False
    return True
