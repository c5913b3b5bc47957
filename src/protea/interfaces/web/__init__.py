"""The full screen in a browser: `protea web`. Needs the extra `web`, and is opened by nothing else."""
