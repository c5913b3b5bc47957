"""The language servers that are known without being set up."""

from __future__ import annotations

from protea.adapters.diagnostics._options import Server

_PYTHON = {".py": "python", ".pyi": "python"}
_SCRIPT = {
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "typescriptreact",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascriptreact",
}
_C = {".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hh": "cpp", ".hpp": "cpp", ".hxx": "cpp"}

TABLE: dict[str, Server] = {
    "basedpyright": Server(
        command=("basedpyright-langserver", "--stdio"),
        files=_PYTHON,
        family="python types",
        settings={"basedpyright": {"analysis": {"diagnosticMode": "openFilesOnly", "typeCheckingMode": "standard"}}},
    ),
    "pyright": Server(
        command=("pyright-langserver", "--stdio"),
        files=_PYTHON,
        family="python types",
        settings={"python": {"analysis": {"diagnosticMode": "openFilesOnly"}}},
    ),
    "pylsp": Server(
        command=("pylsp",),
        files=_PYTHON,
        family="python types",
        # How code is laid out is for a formatter.
        settings={"pylsp": {"plugins": {name: {"enabled": False} for name in ("pycodestyle", "mccabe", "pydocstyle")}}},
        settle=0.1,
    ),
    "ruff": Server(command=("ruff", "server"), files=_PYTHON, settle=0),
    "typescript": Server(command=("typescript-language-server", "--stdio"), files=_SCRIPT, settle=0.4),
    "rust-analyzer": Server(
        command=("rust-analyzer",),
        files={".rs": "rust"},
        options={"cargo": {"targetDir": "{cache}/target"}, "check": {"allTargets": False}},
        environment={"CARGO_TARGET_DIR": "{cache}/target"},
        settle=0.5,
    ),
    "gopls": Server(
        command=("gopls",),
        files={".go": "go", ".mod": "go.mod"},
        environment={"GOPLSCACHE": "{cache}", "GOCACHE": "{cache}/build", "GOFLAGS": "-mod=readonly"},
        settle=0.3,
    ),
    "clangd": Server(command=("clangd", "--log=error", "--background-index=false"), files=_C, settle=0.1),
}
"""By name, in the order they are looked for."""
