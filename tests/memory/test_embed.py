"""Texts as vectors: offline, by a service, and what happens where neither is there."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.errors import ConfigError, EmbedderUnavailable
from t2s.memory.embed import DIMENSIONS, Lexical, build_embedder, pack


def cosine(one: str, other: str) -> float:
    a, b = Lexical().embed([one, other])
    return sum(x * y for x, y in zip(a, b, strict=True))


@given(st.text(max_size=200))
def test_every_text_has_one_unit_vector_that_is_always_the_same(text: str) -> None:
    (vector,) = Lexical().embed([text])
    assert len(vector) == DIMENSIONS
    assert math.isclose(sum(value * value for value in vector), 1.0, rel_tol=1e-6)
    assert list(Lexical().embed([text])[0]) == list(vector)
    assert len(pack(vector)) == 2 * DIMENSIONS


def test_what_means_the_same_is_nearer_than_what_does_not() -> None:
    assert cosine("orders per customer", "the customers' orders") > cosine("orders per customer", "salary of employees")
    assert cosine("customer_orders", "CustomerOrder") > 0.8
    assert cosine("各国客户数", "每个国家的客户") > cosine("各国客户数", "员工的工资")
    assert cosine("shipping adress", "shipping address") > 0.5


@pytest.fixture
def service() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """An embeddings endpoint on loopback: its URL, and the requests that it saw; a text `fail` is answered with 503."""
    seen: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({**body, "path": self.path, "key": self.headers["Authorization"]})
            failed = "fail" in body["input"]
            rows = [{"index": i, "embedding": [3.0 * (i + 1), 4.0 * (i + 1)]} for i, _ in enumerate(body["input"])]
            payload = json.dumps({"data": rows[::-1]} if "short" not in body["input"] else {"data": []}).encode()
            self.send_response(503 if failed else 200)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
        server.shutdown()


def test_a_service_embeds_in_the_order_of_the_texts(service: tuple[str, list[dict[str, object]]]) -> None:
    url, seen = service
    embedder = build_embedder("openai:small", base_url=url, api_key="sk-test", timeout=5)
    assert embedder.name == "openai:small"
    assert embedder.embed(["a", "b"]) == [[0.6, 0.8], [0.6, 0.8]]
    assert seen == [{"model": "small", "input": ["a", "b"], "path": "/v1/embeddings", "key": "Bearer sk-test"}]


@pytest.mark.parametrize(
    ("text", "message"), [("fail", "answers 503 for small"), ("short", "gave 0 vectors for 1 texts")]
)
def test_a_service_that_fails_is_named_without_the_key(
    service: tuple[str, list[dict[str, object]]], text: str, message: str
) -> None:
    embedder = build_embedder("openai:small", base_url=service[0], api_key="sk-secret", timeout=5)
    with pytest.raises(EmbedderUnavailable, match=message) as caught:
        embedder.embed([text])
    assert "sk-secret" not in str(caught.value)


def test_a_service_that_is_not_there_is_unavailable() -> None:
    embedder = build_embedder("openai:small", base_url="http://127.0.0.1:9/v1", api_key=None, timeout=1)
    with pytest.raises(EmbedderUnavailable, match="cannot be used: ConnectError"):
        embedder.embed(["a"])


def test_minilm_is_never_downloaded() -> None:
    with pytest.raises(EmbedderUnavailable, match=r"MiniLM is not on disk: .*model\.onnx is missing"):
        build_embedder("minilm", base_url=None, api_key=None, timeout=1).embed(["a"])


def test_an_unknown_embedder_is_a_setting_that_is_wrong() -> None:
    with pytest.raises(ConfigError, match="there is no embedder 'word2vec'"):
        build_embedder("word2vec", base_url=None, api_key=None, timeout=1)


def tiny_minilm(home: Path) -> None:
    """A model with MiniLM's inputs and outputs, so small that a test can make it: each word is a row of noise."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    folder = home / ".cache" / "chroma" / "onnx_models" / "all-MiniLM-L6-v2" / "onnx"
    folder.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "orders", "customers", "salary", "per", "of"]
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    for name in ("config.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).write_text("{}")
    noise = np.random.default_rng(1).normal(size=(len(words), DIMENSIONS)).astype(np.float32)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "length", DIMENSIONS])
    gather = helper.make_node("Gather", ["words", "input_ids"], ["last_hidden_state"])
    graph = helper.make_graph([gather], "tiny", inputs, [output], [numpy_helper.from_array(noise, "words")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))


def test_minilm_embeds_where_its_files_are_on_disk(tmp_path: Path) -> None:
    tiny_minilm(tmp_path)  # the home of every test
    code = (
        "from t2s.memory.embed import *\n"
        "a, b, c = build_embedder('minilm', base_url=None, api_key=None, timeout=1).embed(['orders per customers', 'customers orders', 'salary'])\n"
        "near = lambda x, y: sum(p * q for p, q in zip(x, y))\n"
        "print(len(a), round(near(a, a), 3), near(a, b) > 0.5 > near(a, c))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["384", "1.0", "True"], done.stderr
