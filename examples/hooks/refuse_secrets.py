#!/usr/bin/env python3
"""prompt: refuses a prompt that holds what looks like a key. No model sees it, now or later."""

import json
import re
import sys

PATTERNS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a key of AWS": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
    "an API key": r"\bsk-[A-Za-z0-9_-]{20,}",
    "a password": r"(?i)\bpassword\s*[:=]\s*\S+",
}


def main() -> None:
    prompt = json.load(sys.stdin)["prompt"]
    found = [name for name, pattern in PATTERNS.items() if re.search(pattern, prompt)]
    if found:
        # Exit code 2 is no; what stands on standard error is the reason.
        print(f"it seems to hold {' and '.join(found)}; put it into the environment and name it there", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
