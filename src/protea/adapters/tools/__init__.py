"""Tools: a file each, imported when it is first called. Sets of them are `builtin` (every agent has it), `files`
(somebody's own Python files) and `functions` (of a program that holds Protea). What several of them need begins with an
underscore:

their specs         builtin (those that are always told), _further (those looked for), _schemas (words)
what they share     _kit (of a session), _files (read and written), _dry (what a call would change)
commands            _program (a helper: rg, git), _following and _output (what the model wrote, to its end), _ear (for
                    lines that fit)
finding             _search (Glob and Grep), _by_hand (without rg), _walk (where there is no disk)
reading             _pdf, _notebook (and, to change one, _notebook_text), _images
worktrees           _worktree (an agent's), _lane (a runner's in a race), _repository (git over what others left)
"""
