"""Copies: files of the same contents are one answer, in every stage by the same file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence

from engine.contract.types import FileFacts, Query
from engine.search.ports import CopyIndex, NameMatch, SameContents

#: From this score on a name, with its folders, holds every word of the question; a name that only
#: shares a word with a sentence is no reason to prefer it to the copy used last.
NAMED = 0.45


class Copies:
    """What one query knows of copies; each file is asked of once. For any thread."""

    def __init__(self, ask: CopyIndex, query: Query, alive: Callable[[int], bool]) -> None:
        self._ask, self._query, self._alive = ask, query, alive
        self._lock = threading.Lock()
        self._groups: dict[int, SameContents | None] = {}

    def learn(self, file_ids: Iterable[int]) -> None:
        """Ask of these files, all at once."""
        with self._lock:
            new = [i for i in dict.fromkeys(file_ids) if i not in self._groups]
            if not new:
                return
            self._groups.update(dict.fromkeys(new))
            for group in self._ask(new, self._query.filters):
                files = [file for file in group.files if self._meets(file)]
                if len(files) > 1:
                    kept = SameContents(files)
                    self._groups.update((file.file_id, kept) for file in files)

    def _meets(self, file: FileFacts) -> bool:
        """Contents hold for all copies; what the words of a path say is each one's own."""
        path = file.path.lower()
        excluded = any(word.lower() in path for word in self._query.excluded)
        return self._alive(file.file_id) and not excluded

    def of(self, file_id: int) -> SameContents | None:
        """The group a file is in, where it has copies and was learnt of."""
        return self._groups.get(file_id)

    def owner(self, file_id: int) -> int:
        """One file's id for all of a group."""
        group = self.of(file_id)
        return file_id if group is None else group.files[0].file_id

    def owners(self, file_ids: Sequence[int]) -> list[int]:
        """[k] the same for several; what is not known of them is asked."""
        self.learn(file_ids)
        return [self.owner(file_id) for file_id in file_ids]

    def all_of(self, file_ids: Collection[int]) -> list[int]:
        """These files and all their copies."""
        groups = ((i, self.of(i)) for i in file_ids)
        return sorted(
            {file.file_id for _, group in groups if group for file in group.files} | {*file_ids}
        )


def standing(group: SameContents, names: Sequence[NameMatch]) -> FileFacts:
    """The copy that stands for all: the one whose name answers best, else the first."""
    scores = {match.file.file_id: match.score for match in names if match.score >= NAMED}
    return max(group.files, key=lambda file: scores.get(file.file_id, 0.0))
