"""The command ``lightbox``: ``python -m xai_lightbox`` is the same."""

from __future__ import annotations

import sys

from xai_lightbox.rooms import HiddenRoomError


def main() -> int:
    """Run one command; returns the exit status, 2 where another package stands in the way."""
    try:
        from xai_lightbox.dashboard.cli.entry import main as run
    except HiddenRoomError as error:
        sys.stderr.write(f"lightbox: {error}\n")
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())
