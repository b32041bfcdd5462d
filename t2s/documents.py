"""YAML that people write, as values; what is wrong in it is told with file, line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from t2s.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")


def read_yaml(text: str, name: str, model: type[Model], *, hint: str) -> Model:
    """The document as `model`; raises `UsageError` that begins with `name:line:column:`."""
    import yaml
    from pydantic import ValidationError

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise UsageError(f"{where}: {getattr(e, 'problem', None) or 'this is not YAML'}") from e
    except RecursionError as e:
        raise UsageError(f"{name}: this is nested too deeply") from e
    try:
        return model.model_validate(document)
    except ValidationError as e:
        first = e.errors()[0]
        line, column = place(root, first["loc"])
        path = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"{name}:{line}:{column}: {path}: {first['msg']}", hint=hint) from e


def places(text: str, path: tuple[str | int, ...]) -> list[tuple[int, int]]:
    """Line and column (from 1) of each item of the list at a path."""
    import yaml

    node = _walk(yaml.compose(text, Loader=yaml.SafeLoader), path)
    items = node.value if isinstance(node, yaml.SequenceNode) else []
    return [(item.start_mark.line + 1, item.start_mark.column + 1) for item in items]


def place(root: Any, path: tuple[str | int, ...]) -> tuple[int, int]:
    """Line and column (from 1) at which the node of a path stands, as far as there is one."""
    node = _walk(root, path)
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node is not None else (1, 1)


def _walk(node: Any, path: tuple[str | int, ...]) -> Any:
    import yaml

    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), None) or node
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
    return node


def write_yaml(document: Any) -> str:
    """A document as a person would write it: text of several lines as a block, keys in their order."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return str(yaml.dump(document, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=100))
