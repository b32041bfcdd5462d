"""Texts as vectors: by features of their own letters, by MiniLM where it is on disk, or by a service."""

from __future__ import annotations

import math
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from t2s.errors import ConfigError, EmbedderUnavailable
from t2s.memory.words import fold, has_cjk, terms
from t2s.types.memory import Embedder

DIMENSIONS = 384


def build_embedder(name: str, *, base_url: str | None, api_key: str | None, timeout: float) -> Embedder:
    """The embedder that a setting names: `lexical`, `minilm` or `openai:MODEL`."""
    if name == "lexical":
        return Lexical()
    if name == "minilm":
        return MiniLM()
    if name.startswith("openai:") and name != "openai:":
        return Served(model=name.removeprefix("openai:"), base_url=base_url, api_key=api_key, timeout=timeout)
    raise ConfigError(f"there is no embedder {name!r}", hint="memory.embedder is lexical, minilm or openai:MODEL")


def pack(vector: Sequence[float]) -> bytes:
    """A vector as half-precision floats, little-endian."""
    return struct.pack(f"<{len(vector)}e", *vector)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexical:
    """Hashed words, their pairs and parts (Weinberger et al., 2009): no model, no network, deterministic."""

    name: str = "lexical-1"

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """See `t2s.types.memory.Embedder`."""
        return [_hashed(text) for text in texts]


def _hashed(text: str) -> list[float]:
    vector = [0.0] * DIMENSIONS
    for feature, weight in _features(text):
        code = zlib.crc32(feature.encode("utf-8", "surrogatepass"))
        vector[code % DIMENSIONS] += weight if code & 0x8000_0000 else -weight
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else [1.0, *vector[1:]]


def _features(text: str) -> Iterator[tuple[str, float]]:
    words = list(terms(text)) or fold(text).split()
    for word in words:
        yield word, 1.0
        if not has_cjk(word) and len(word) > 3:
            marked = f"^{word}$"
            parts = [marked[i : i + 3] for i in range(len(marked) - 2)]
            yield from ((f"#{part}", 1.0 / math.sqrt(len(parts)) / 1.5) for part in parts)
        elif has_cjk(word):
            yield from ((f"#{letter}", 0.35) for letter in word)
    for first, second in pairwise(words):
        yield f"{first} {second}", 0.4


@dataclass(slots=True, kw_only=True)
class MiniLM:
    """all-MiniLM-L6-v2 by ONNX, as Chroma packs it; used where its files are on disk, never downloaded."""

    name: str = "minilm-l6-v2"
    _model: Any = None

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """See `t2s.types.memory.Embedder`."""
        if self._model is None:
            self._model = _load_minilm()
        try:
            return [[float(value) for value in vector] for vector in self._model(list(texts))]
        except Exception as e:  # onnxruntime raises classes of its own
            raise EmbedderUnavailable(f"MiniLM failed: {e}") from e


def _load_minilm() -> Any:
    folder = Path.home() / ".cache" / "chroma" / "onnx_models" / "all-MiniLM-L6-v2"
    wanted = (
        "model.onnx",
        "tokenizer.json",
        "config.json",
        "special_tokens_map.json",
        "tokenizer_config.json",
        "vocab.txt",
    )
    missing = [name for name in wanted if not (folder / "onnx" / name).exists()]
    if missing:
        raise EmbedderUnavailable(
            f"MiniLM is not on disk: {folder / 'onnx' / missing[0]} is missing",
            hint="unpack Chroma's onnx.tar.gz there, or set memory.embedder to lexical",
        )
    from t2s.memory.chroma import import_chroma

    import_chroma()
    from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An endpoint that speaks OpenAI's embeddings protocol."""

    model: str
    base_url: str | None
    api_key: str | None
    timeout: float

    @property
    def name(self) -> str:
        """See `t2s.types.memory.Embedder`."""
        return f"openai:{self.model}"

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """See `t2s.types.memory.Embedder`."""
        from t2s.llm.embeddings import embed_texts

        vectors = embed_texts(
            texts, model=self.model, base_url=self.base_url, api_key=self.api_key, timeout=self.timeout
        )
        return [_unit(vector) for vector in vectors]


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]
