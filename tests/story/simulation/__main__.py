"""Play one seed alone, and print what happened: `python -m tests.story.simulation SEED`.

With three words, FIRST END STEP, many seeds are played, and one line of JSON says what they hit and broke.
"""

from __future__ import annotations

import sys

from tests.story.simulation.playing import quick_redis, run_seed, run_seeds


def main(words: list[str]) -> int:
    """Play the seed of the command line; 1 when a promise was broken. Many seeds: 0, and what was broken is said."""
    with quick_redis() as client:
        if len(words) > 1:
            first, end, step = map(int, words)
            sys.stdout.write(run_seeds(range(first, end, step), client).words() + "\n")
            return 0
        played = run_seed(int(words[0]), client)
    sys.stdout.write("\n".join([*played.lines, played.trace, *(": ".join(one) for one in played.broken), ""]))
    return 1 if played.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
