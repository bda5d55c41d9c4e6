"""How many threads are fastest at present, for a loop of brief rounds, and how they pass on data.

That depends on what else runs on the machine, and on how far its cores are from each other, which
may be near at one time and far at another where they are virtual; so it is measured while the loop
runs, call by call.  Results are the same in all ways.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

BRIEF_SECONDS = 2e-4  # of a round, for which one thread may be faster than several
_LEAST_SECONDS = 5e-3  # of a call that tells something
_TRIALS = 0.005  # part of the time that is lost by trying a way again that is not much slower
_FEWEST_CALLS, _MOST_CALLS = 4, 128  # before one is tried


class Way(NamedTuple):
    """How a call is run.

    Attributes:
        threads: how many run it.
        by_memory: whether what they exchange passes the caches: taking a line out of another
            core's cache takes longer than reading it from memory where that core is far.
    """

    threads: int
    by_memory: bool = False


class Pace:
    """Chooses the way of each call.

    Args:
        threads: how many there are.
        is_brief: whether rounds are so brief that one of them may be faster alone.
        exchanges: whether they exchange data that may pass the caches.
    """

    def __init__(self, threads: int, *, is_brief: bool = True, exchanges: bool = False) -> None:
        ways = [Way(threads)]
        ways += [Way(threads, by_memory=True)] if exchanges else []
        ways += [Way(1)] if is_brief else []
        # Seconds of a round in the last calls: the lesser counts, so that one that was disturbed
        # decides nothing.
        self._last = {way: deque[float](maxlen=2) for way in ways}
        self._since = dict.fromkeys(ways, 0)  # calls since it was tried
        # Of those, before it is tried again: few at first where it may have been disturbed.
        self._most = {way: _MOST_CALLS if way.threads == 1 else _FEWEST_CALLS for way in ways}

    def choose(self) -> Way:
        """The way of the next call."""
        untried = next((way for way, last in self._last.items() if not last), None)
        if untried is not None:
            return untried
        best = self._best()
        for way, since in self._since.items():
            lost = self._seconds(way) / self._seconds(best) - 1
            if since >= min(max(lost / _TRIALS, _FEWEST_CALLS), self._most[way]):
                return way
        return best

    def note(self, way: Way, rounds: int, seconds: float) -> None:
        """Learn from a call."""
        for each in self._since:
            self._since[each] += 1
        self._since[way] = 0
        if rounds and (seconds >= _LEAST_SECONDS or not self._last[way]):
            self._last[way].append(seconds / rounds)
        if way.threads > 1:
            most = 2 * self._most[way] if way != self._best() else _FEWEST_CALLS
            self._most[way] = min(most, _MOST_CALLS)

    def _seconds(self, way: Way) -> float:
        return min(self._last[way], default=float("inf"))

    def _best(self) -> Way:
        return min(self._last, key=self._seconds)
