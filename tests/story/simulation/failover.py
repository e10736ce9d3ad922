"""A failover without `durability = "replicated"`: the new master does not have the last writes of the old one.

Only the promises that are made for it are asked then (`KEPT`). A webhook that was answered with 2xx in the lost moment
is lost with it, which no look can mend: so a moment in which something was accepted is not lost here.
"""

from __future__ import annotations

import redis as blocking

from tests.story.simulation.ledger import Ledger

HIT = "failover lost writes"
# the others speak of what Redis knew: an own removal may be told as "already gone", a note may stand there twice
KEPT = frozenset(
    {
        "one outcome",
        "the same delivery, the same action",
        "not past its deadline",
        "late is wrong",
        "nobody else",
        "once",
        "who came back stays",
        "the ticket is told",
        "everything ends",
        "no key without a life",
    }
)


class Failover:
    """One failover: made when the link to the replica is cut, and carried out a little later."""

    def __init__(self, client: blocking.Redis, ledger: Ledger) -> None:
        self._client, self._ledger = client, ledger
        names = [str(name) for name in client.scan_iter(count=1000)]
        self._kept = {name: (max(client.pttl(name), 0), client.dump(name) or b"") for name in names}
        self._lines, self._known = len(ledger.lines), ledger.known()

    def happens(self) -> None:
        """Let all that was written since be lost, unless something was accepted since."""
        since = self._ledger.lines[self._lines :]
        if any(" accept " in line for line in since):
            self._ledger.hit("failover lost nothing")
            return
        self._client.flushdb()
        for name, (life, value) in self._kept.items():
            self._client.restore(name, life, value)
        self._ledger.forget(self._known)
        self._ledger.hit(HIT)
