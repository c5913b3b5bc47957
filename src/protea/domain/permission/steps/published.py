"""Commits that a remote holds are not made anew unasked: whoever has them would have to mend their own.

Nothing here stops what only this clone has: that may be amended, squashed and put upon something else as one likes.
"""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.permission.programs.rewriting import Rewriting, rewriting
from protea.domain.permission.shell.script import Word
from protea.domain.permission.sight import History
from protea.domain.permission.steps.case import Case


def rewrites_published(case: Case, words: Sequence[Word], cwd: str) -> str | None:
    """Why a git command is about commits of others, too."""
    found = rewriting([word.text for word in words])
    if found is None:
        return None
    history = case.eyes.history(cwd)
    holder = None if history is None else _holder(found, history)
    return f"{found.said} rewrites what {holder} has" if holder else None


def _holder(found: Rewriting, history: History) -> str | None:
    """The remote's branch that has what would be rewritten."""
    if not history.known:
        return "a remote perhaps"
    counterpart = history.counterpart(found.branch or history.branch)
    if found.commits is not None:
        for commit in history.line[: found.commits]:
            if commit in history.held:
                return history.held[commit]
        # Where they cannot all be seen: a branch that was pushed may have been pushed as far as that.
        return counterpart if len(history.line) < found.commits and not history.whole else None
    if counterpart is None or found.target in ("HEAD", "@", "@{u}", "@{upstream}", counterpart):
        return None
    if f"refs/remotes/{counterpart}" == found.target:
        return None
    own = [commit for commit in history.line if commit not in history.held]
    near = len(found.target) >= 4 and any(commit.startswith(found.target) for commit in own)
    return None if near and not found.branch else counterpart
