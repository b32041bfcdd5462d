"""Find memories by words and by vectors at once, within given scopes only."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from operator import mul
from typing import TYPE_CHECKING, Any

from t2s.errors import EmbedderUnavailable, IndexUnavailable, LedgerError
from t2s.ledger import memory_search
from t2s.memory.words import has_cjk, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from t2s.ledger.store import Ledger
    from t2s.memory.index import Index
    from t2s.types.memory import Embedder, Memory

SEARCH_TIMEOUT_S = 1.0
"""What each of the two searches may take."""
FEW = 300
"""So few vectors are compared sooner than numpy is imported."""
EXACT = 250_000
"""Up to so many vectors comparing with each beats asking Chroma within scopes: for 100,000 16 to 500 ms."""
LARGE = 5_000
MEAN_TERMS = 16
SATURATION = 1.2
"""BM25's k1; b is 0.75."""

Scores = dict[str, dict[int, float]]
"""For each scope, memories by number with a relevance of 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Memories with their relevance, the best first; `missing` says which search did not answer."""

    memories: tuple[tuple[Memory, float], ...]
    missing: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Searcher:
    """Both searches over one ledger; keeps large scopes' vectors in memory while it lives."""

    ledger: Ledger
    embedder: Embedder
    index: Index
    vector_share: float | None = None
    _large: dict[str, int] = field(default_factory=dict, repr=False)
    _loaded: dict[str, tuple[list[int], NDArray[Any]]] = field(default_factory=dict, repr=False)

    def search(self, text: str, scopes: Sequence[str], *, k: int, timeout: float = SEARCH_TIMEOUT_S) -> Found:
        """The `k` best of each scope; a search that fails or is late is left out, and named."""
        searches: dict[str, Callable[[], Scores]] = {
            "vector search": lambda: self._by_vector(text, scopes, k),
            "word search": lambda: memory_search.by_terms(self.ledger, self._sizes(scopes), weighted_terms(text), k),
        }
        pool = ThreadPoolExecutor(len(searches))
        futures = {name: pool.submit(search) for name, search in searches.items()}
        wait(futures.values(), timeout=timeout)
        pool.shutdown(wait=False, cancel_futures=True)
        results = {name: _result(future) for name, future in futures.items()}
        missing = tuple(f"{name}: {result}" for name, result in results.items() if isinstance(result, str))
        vector, lexical = (result if not isinstance(result, str) else {} for result in results.values())
        share = _vector_share(text, self.embedder.name) if self.vector_share is None else self.vector_share
        share = 1.0 if not lexical else 0.0 if not vector else share
        merged = {scope: _mixed(vector.get(scope, {}), lexical.get(scope, {}), share) for scope in scopes}
        return Found(memories=self._checked(merged, scopes, k), missing=missing)

    def _by_vector(self, text: str, scopes: Sequence[str], k: int) -> Scores:
        count = self._count(scopes)
        if not count:
            return {}
        vector = self.embedder.embed([text])[0]
        if count > EXACT:
            try:
                return self._approximate(vector, scopes, k)
            except IndexUnavailable:
                pass  # slower, but complete
        if count <= FEW:
            return {scope: self._by_hand(vector, scope, k) for scope in scopes}
        return {scope: self._exact(vector, scope, k) for scope in scopes}

    def _count(self, scopes: Sequence[str]) -> int:
        """How many vectors there are to compare with; not counted again where they are loaded."""
        loaded = sum(len(self._loaded[scope][0]) for scope in scopes if scope in self._loaded)
        others = [scope for scope in scopes if scope not in self._loaded]
        return loaded + memory_search.vector_count(self.ledger, others, self.embedder.name)

    def _sizes(self, scopes: Sequence[str]) -> dict[str, int]:
        """How many memories each scope has; of a large one, which changes little, it is counted but once."""
        counted = memory_search.sizes(self.ledger, [scope for scope in scopes if scope not in self._large])
        self._large.update({scope: size for scope, size in counted.items() if size >= LARGE})
        return {**counted, **{scope: self._large[scope] for scope in scopes if scope in self._large}}

    def _by_hand(self, vector: Sequence[float], scope: str, k: int) -> dict[int, float]:
        numbers, packed = memory_search.load_vectors(self.ledger, [scope], self.embedder.name)
        rows = struct.iter_unpack(f"<{len(vector)}e", packed)
        cosines = {number: sum(map(mul, row, vector)) for number, row in zip(numbers, rows, strict=True)}
        return {number: max(0.0, cosines[number]) for number in sorted(cosines, key=cosines.__getitem__)[-k:]}

    def _exact(self, vector: Sequence[float], scope: str, k: int) -> dict[int, float]:
        import numpy as np

        numbers, matrix = self._vectors(scope)
        if not numbers:
            return {}
        cosines = matrix @ np.asarray(vector, dtype=np.float32)
        best = np.argpartition(-cosines, min(k, len(numbers)) - 1)[:k]
        return {numbers[i]: max(0.0, float(cosines[i])) for i in best}

    def _vectors(self, scope: str) -> tuple[list[int], NDArray[Any]]:
        """The scope's vectors; only those added since the last time are read (the removed ones are no hits later)."""
        import numpy as np

        known, matrix = self._loaded.get(scope, ([], np.empty((0, 0), np.float32)))
        numbers, packed = memory_search.load_vectors(
            self.ledger, [scope], self.embedder.name, above=known[-1] if known else 0
        )
        if numbers:
            rows = np.frombuffer(packed, dtype="<f2").reshape(len(numbers), -1).astype(np.float32)
            known, matrix = [*known, *numbers], np.concatenate([matrix, rows]) if known else rows
            self._loaded[scope] = (known, matrix)
        return known, matrix

    def _approximate(self, vector: Sequence[float], scopes: Sequence[str], k: int) -> Scores:
        found = self.index.nearest(vector, scopes, self.embedder.name, k * len(scopes))
        numbers = memory_search.numbers_of(self.ledger, list(found))
        within = memory_search.by_numbers(self.ledger, list(numbers.values()), scopes)
        scores: Scores = {}
        for number, memory in within.items():
            scores.setdefault(memory.scope, {})[number] = max(0.0, found[memory.id])
        return scores

    def _checked(self, merged: Scores, scopes: Sequence[str], k: int) -> tuple[tuple[Memory, float], ...]:
        """The best of each scope that the ledger says are alive and inside it."""
        wanted = [number for scores in merged.values() for number in scores]
        known = memory_search.by_numbers(self.ledger, wanted, scopes) if wanted else {}
        hits = []
        for scores in merged.values():
            best = sorted(((n, s) for n, s in scores.items() if n in known), key=lambda item: (-item[1], -item[0]))
            hits += [(known[number], score) for number, score in best[:k]]
        return tuple(sorted(hits, key=lambda hit: -hit[1]))


def weighted_terms(text: str) -> Mapping[str, float]:
    """The terms to search for, each with how often it stands in the text."""
    return Counter(terms(text))


def stored_terms(content: str) -> dict[str, float]:
    """The terms to find a text by, with BM25's saturated weight of each."""
    counts = Counter(terms(content))
    length = 0.25 + 0.75 * counts.total() / MEAN_TERMS
    return {term: count * (SATURATION + 1) / (count + SATURATION * length) for term, count in counts.items()}


def _vector_share(text: str, embedder: str) -> float:
    """How much vectors count against words, as measured by scripts/eval_recall.py; Chinese wants pairs of letters."""
    if embedder.startswith("lexical"):
        return 0.2
    return 0.2 if has_cjk(text) else 0.7


def _mixed(vector: Mapping[int, float], lexical: Mapping[int, float], share: float) -> dict[int, float]:
    return {
        number: share * vector.get(number, 0.0) + (1 - share) * lexical.get(number, 0.0)
        for number in {**vector, **lexical}
    }


def _result(future: Future[Scores]) -> Scores | str:
    """What a search found, or why it did not."""
    if not future.done():
        return "too slow"
    try:
        return future.result()
    except (EmbedderUnavailable, LedgerError) as e:
        return e.message
