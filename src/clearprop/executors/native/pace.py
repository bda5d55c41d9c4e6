"""Whether several threads are faster than one, at present, for a loop of brief rounds.

That depends on what else runs on the machine, and on how far its cores are from each other; so it
is measured while the loop runs, call by call.  Results are the same for any number of threads.
"""

from __future__ import annotations

from collections import deque

BRIEF_SECONDS = 2e-4  # of a round, for which one thread may be faster than several
_LEAST_SECONDS = 5e-3  # of a call that tells something
_FIRST_CALLS, _MOST_CALLS = 4, 32  # by one thread, before several are tried again


class Pace:
    """Chooses between one thread and several.

    Args:
        threads: how many there are.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        # Seconds of a round in the last calls that so many threads ran: the lesser counts, so that
        # one that was disturbed decides nothing.
        self._last = {many: deque[float](maxlen=2) for many in (threads, 1)}
        self._calls, self._wait = 0, _FIRST_CALLS

    def choose(self) -> int:
        """With how many threads the next call is to run."""
        untried = next((many for many, last in self._last.items() if not last), None)
        if untried is not None:
            return untried
        if min(self._last[1]) >= min(self._last[self._threads]):
            self._wait = _FIRST_CALLS
            return self._threads
        self._calls += 1
        if self._calls <= self._wait:
            return 1
        self._calls, self._wait = 0, min(2 * self._wait, _MOST_CALLS)
        return self._threads

    def note(self, threads: int, rounds: int, seconds: float) -> None:
        """Learn from a call that so many threads ran."""
        if rounds and (seconds >= _LEAST_SECONDS or not self._last[threads]):
            self._last[threads].append(seconds / rounds)
