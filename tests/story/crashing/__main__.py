"""Play one case alone, and print what happened: `python -m tests.story.crashing "429 / unsent / 1 / crash after"`.

With three words, FIRST END STEP, the cases of these numbers are played, and one line of JSON says what they showed.
"""

from __future__ import annotations

import sys

from tests.story.crashing.cases import Case, CrashStory, Harvest, discovered, play
from tests.story.simulation.playing import quick_redis

NUMBERS = 3


def main(words: list[str]) -> int:
    """Play what the command line asks for; 1 when the one case broke a promise."""
    with quick_redis() as client:
        if len(words) == NUMBERS:
            first, end, step = map(int, words)
            harvest = Harvest()
            for case in discovered(client)[1][first:end:step]:
                harvest.add(play(case, client))
            sys.stdout.write(harvest.words() + "\n")
            return 0
        case = Case.named(words[0])
        story = CrashStory(case, client)
        story.play()
        broken = play(case, client).broken
    sys.stdout.write("\n".join([*story.ledger.lines, *(": ".join(one) for one in broken), ""]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
