"""What must happen when a wish comes again: one cell for each state of the first action and each way to come again.

It follows "Sameness" of the design. Where that is silent, what a user expects is decided here and said beside the row.
"""

from __future__ import annotations

from typing import NamedTuple

# how it comes again
COLUMNS = {
    "again": "the same delivery, re-signed now",
    "other_body": "the id of the first delivery with another body",
    "earlier": "a new delivery, clicked before the look on which the first outcome rests",
    "later": "a new delivery, clicked now",
    "preview": "a new delivery, clicked now, that only asks who would go",
    "replay": "a person asks the first action again",
    "other_ticket": "as earlier, from another ticket",
    "other_source": "as earlier, from another source of the org",
}
# whose ticket is another one than the first delivery's
OTHERS = frozenset({"other_ticket", "other_source"})

# What the sender hears (same: that action, as a duplicate; join: that action, by its wish; conflict: 422; new: another
# action), and behind the > how a new action ends; with | where which of two open actions comes first decides.
GRID = {
    # nothing is sent yet: all that mean it join; a preview and a replay are always actions of their own
    "open_unsent": "same conflict join join new>previewed|already_gone new>already_gone|disconnected join join",
    # nobody came to it before its not-after: it ends as expired, and would take a fresh click with it
    "open_late": "same conflict new>expired new>disconnected new>previewed new>expired new>expired new>expired",
    # sent and not yet confirmed: the same, and whoever owns the conversation goes first
    "open_sent": "same conflict join join new>already_gone new>already_gone join join",
    # seen gone: a click from before that look is answered by it, a later one is a question of its own
    "disconnected": "same conflict join new>already_gone new>already_gone new>already_gone join join",
    "already_gone": "same conflict join new>already_gone new>already_gone new>already_gone join join",
    # nothing was achieved: whoever asks again wants it tried again, however early the click
    "not_found": "same conflict new>not_found new>not_found new>not_found new>not_found new>not_found new>not_found",
    "refused": "same conflict new>refused new>refused new>refused new>refused new>refused new>refused",
    # an early click, and a replay without a new limit, are as late as the first
    "expired": "same conflict new>expired new>disconnected new>previewed new>expired new>expired new>expired",
    "failed": (
        "same conflict new>disconnected new>disconnected new>previewed new>disconnected new>disconnected"
        " new>disconnected"
    ),
    # it did leave, though nobody could see it: so whoever asks again hears "already gone", and nothing is sent
    "unknown": (
        "same conflict new>already_gone new>already_gone new>already_gone new>already_gone new>already_gone"
        " new>already_gone"
    ),
    # a preview shares no wish with a real click; its replay is a preview again
    "previewed": (
        "same conflict new>disconnected new>disconnected new>previewed new>previewed new>disconnected new>disconnected"
    ),
    # Disconnected a week ago: the delivery is forgotten, and its id means nothing any more. The wish is kept longer: a
    # click of that time is still answered by that look (silent in the design: nobody wants an action for last week's
    # click). What was done is done again only for who says how long it may take: one look finds the person gone.
    "aged_out": "join join join new>already_gone new>already_gone new>already_gone join join",
}
# rows in which one removal takes effect before it comes again, or would without it coming again
TAKES_EFFECT = frozenset({"open_unsent", "open_sent", "disconnected", "unknown", "aged_out"})


class Cell(NamedTuple):
    """One cell.

    Attributes:
        row: the state of the first action.
        column: how it comes again.
        answer: same, join, conflict or new.
        ends: how a new action may end; empty where there is none.
    """

    row: str
    column: str
    answer: str
    ends: frozenset[str]

    @property
    def notes(self) -> tuple[int, int]:
        """How many notes the first ticket has at the end, and how many the other one."""
        if self.column in OTHERS:
            return 1, 1
        return (2 if self.answer == "new" else 1), 0

    @property
    def effects(self) -> int:
        """How many removals took effect at the end: never more than one."""
        return 1 if self.row in TAKES_EFFECT or "disconnected" in self.ends else 0


def _cells(row: str, answers: str) -> list[Cell]:
    made = []
    for column, said in zip(COLUMNS, answers.split(), strict=True):
        answer, _, ends = said.partition(">")
        made.append(Cell(row, column, answer, frozenset(ends.split("|") if ends else ())))
    return made


CELLS: tuple[Cell, ...] = tuple(cell for row, answers in GRID.items() for cell in _cells(row, answers))
