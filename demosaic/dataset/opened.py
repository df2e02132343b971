"""A dataset that is open to be changed, in memory and on disk.

A process killed at any instant leaves a folder that the same command continues.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.manifest import Manifest
from demosaic.dataset.near_duplicates import FACE_LIMIT, SCENE_LIMIT
from demosaic.dataset.records import Header, Pair, Skipped, State
from demosaic.dataset.regroup import Grouped, Move, moves, regroup
from demosaic.dataset.summary import Known, Summary, funnel, summarise

_RULES = f"by person, file, burst; faces {FACE_LIMIT} bits, scenes {SCENE_LIMIT}"
"""How pairs are grouped; with other rules, all are grouped anew."""

_Line = TypeVar("_Line", Pair, Skipped)


@dataclass(frozen=True)
class Settled:
    """A dataset in which every pair has its group and its split."""

    summary: Summary
    funnel: Mapping[str, int]
    """How many photos passed each step: found, readable, unique, with faces, kept."""
    moved: tuple[Move, ...]
    """Pairs from before that are now in another split, because groups merged or came apart."""


class OpenDataset:
    """The pairs of a dataset by id, what was skipped, and the state that both are in."""

    def __init__(self, manifest: Manifest, config: BuildConfig, header: Header | None) -> None:
        """`header`: None in a new dataset. Raises DemosaicError when a line is damaged."""
        self.folder = manifest.folder
        self.config = config
        self._manifest = manifest
        manifest.prepare()
        self._state: State = header.state if header else "building"
        self._facts = _facts(header) if header else {}
        self.forgotten = manifest.forgotten()
        pairs, skipped = manifest.pairs(), manifest.skipped()
        self._closest = header.closest if header else None
        self._grouped: Grouped | None = None
        if header and self._state == "finished" and header.lines == manifest.fingerprint(_RULES):
            self._grouped = Grouped(by_id(pairs), skipped)
        self.pairs = by_id(without(self.forgotten, pairs))
        self.skipped = without(self.forgotten, skipped)
        found = set(contents(pairs, skipped).values())
        self.forgetting = self._state == "forgetting" or not self.forgotten.isdisjoint(found)
        """Whether a `forget` was cut short."""

    @property
    def contents(self) -> dict[str, str]:
        """The content hash of every photo that has a line."""
        return contents(self.pairs.values(), self.skipped)

    def settle(self, seen: Mapping[str, str]) -> Settled:
        """Group all pairs, put every group into its split, and write everything anew. The files
        are the same, byte for byte, however often the work was interrupted and in whatever order
        the photos came.

        Every step can be done again, and the new splits are on disk only after the pictures have
        moved: a process that continues after a kill finds the same to do.
        """
        if self._state != "forgetting":
            self._enter("settling")
        before = self.pairs
        self.pairs = regroup(before.values(), self.skipped, self.config, self._grouped)
        self.skipped = _sorted_once(self.skipped)
        self._manifest.move_pictures(self.pairs)
        self._manifest.write(self.pairs.values(), self.skipped)
        self._manifest.remove_orphans(self.pairs)
        settled = Settled(
            summarise(self.pairs.values(), self.skipped, self.config, self._known()),
            funnel(seen, self.pairs.values(), self.skipped, self.forgotten),
            moves(before, self.pairs),
        )
        facts = {"funnel": settled.funnel, **asdict(settled.summary)}
        self._describe("finished", {**facts, "lines": self._manifest.fingerprint(_RULES)})
        self.forgetting = False
        return settled

    def _known(self) -> Known | None:
        """What the dataset said of its pairs when it was opened, as far as it is still so."""
        if self._grouped is None or self._closest is None:
            return None
        before = self._grouped.pairs
        same = {one for one, pair in self.pairs.items() if before.get(one) is pair}
        return Known(self._closest, same)

    def _enter(self, state: State) -> None:
        """Before the first change: the dataset is unfinished from now on."""
        if self._state != state:
            self._describe(state, {})

    def _describe(self, state: State, counts: Mapping[str, Any]) -> None:
        self._manifest.describe(self.config, state, {**self._facts, **counts})
        self._state = state


def _facts(header: Header) -> dict[str, Any]:
    facts = {"detector": header.detector, "ignored": header.ignored}
    return {name: value for name, value in facts.items() if value is not None}


def by_id(pairs: Iterable[Pair]) -> dict[str, Pair]:
    """The pairs in the order of their last lines: the line of a renamed photo replaces the one of
    before.
    """
    found: dict[str, Pair] = {}
    for pair in pairs:
        found.pop(pair.id, None)
        found[pair.id] = pair
    return found


def without(hashes: Collection[str], lines: Iterable[_Line]) -> list[_Line]:
    """The lines of photos with other contents than these."""
    return [line for line in lines if line.sha256 not in hashes]


def contents(pairs: Iterable[Pair], skipped: Iterable[Skipped]) -> dict[str, str]:
    """The content hash of every photo that has a line."""
    lines: tuple[Pair | Skipped, ...] = (*skipped, *pairs)
    return {line.photo: line.sha256 for line in lines}


def _sorted_once(skipped: Iterable[Skipped]) -> list[Skipped]:
    unique = {(one.photo, one.box or (), one.reason): one for one in skipped}
    return [unique[key] for key in sorted(unique)]
