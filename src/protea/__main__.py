"""`python -m protea` is `protea`."""

import sys

from protea.cli import main

if __name__ == "__main__":
    sys.exit(main())
