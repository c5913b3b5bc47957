"""The full-screen face, over a gateway and nothing else. `run` opens it; docs/tui.md tells what it does."""
