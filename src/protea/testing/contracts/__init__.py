"""One suite per port: what its docstring promises, as checks any adapter can be put through."""
