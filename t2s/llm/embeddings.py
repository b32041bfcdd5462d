"""OpenAI's embeddings protocol, which many services speak."""

from __future__ import annotations

from collections.abc import Sequence

from t2s.errors import EmbedderUnavailable

OPENAI = "https://api.openai.com/v1"


def embed_texts(
    texts: Sequence[str], *, model: str, base_url: str | None, api_key: str | None, timeout: float
) -> list[list[float]]:
    """One vector a text, in their order; raises `EmbedderUnavailable` for whatever goes wrong.

    Source: https://platform.openai.com/docs/api-reference/embeddings
    """
    import httpx2

    url = f"{(base_url or OPENAI).rstrip('/')}/embeddings"
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        reply = httpx2.post(url, json={"model": model, "input": list(texts)}, headers=headers, timeout=timeout)
        reply.raise_for_status()
        rows = sorted(reply.json()["data"], key=lambda row: row["index"])
        vectors = [[float(value) for value in row["embedding"]] for row in rows]
    except httpx2.HTTPStatusError as e:
        raise EmbedderUnavailable(f"the embeddings service answers {e.response.status_code} for {model}") from e
    except (httpx2.HTTPError, ValueError, KeyError, TypeError) as e:
        raise EmbedderUnavailable(f"the embeddings service cannot be used: {type(e).__name__}") from e
    if len(vectors) != len(texts):
        raise EmbedderUnavailable(f"the embeddings service gave {len(vectors)} vectors for {len(texts)} texts")
    return vectors
