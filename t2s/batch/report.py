"""Findings in the forms that people and CI systems read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from t2s import __version__
from t2s.batch.check import Finding

Report = Callable[[Sequence[Finding], Sequence[str]], str]
"""Findings and the names of all queries that were checked, as text that ends with a line break."""


def text(found: Sequence[Finding], checked: Sequence[str]) -> str:
    """A line for each finding, as compilers write them."""
    return "".join(f"{_path(f.file)}:{f.line}: {f.level}: {f.query}: {f.message} [{f.code}]\n" for f in found)


def github(found: Sequence[Finding], checked: Sequence[str]) -> str:
    """Workflow commands, which GitHub Actions shows beside the lines of the change."""
    return "".join(
        f"::{f.level} file={_property(_path(f.file))},line={f.line},title={_property(f'{f.query}: {f.code}')}"
        f"::{_escaped(f.message)}\n"
        for f in found
    )


def gitlab(found: Sequence[Finding], checked: Sequence[str]) -> str:
    """GitLab's Code Quality report (a subset of the Code Climate format)."""
    severity = {"error": "major", "warning": "minor"}
    issues = [
        {
            "description": f"{f.query}: {f.message}",
            "check_name": f.code,
            "fingerprint": hashlib.sha256(f"{f.query} {f.code} {f.message}".encode()).hexdigest(),
            "severity": severity[f.level],
            "location": {"path": _path(f.file), "lines": {"begin": f.line}},
        }
        for f in found
    ]
    return _json(issues)


def json_report(found: Sequence[Finding], checked: Sequence[str]) -> str:
    """All that is known of the findings."""
    rows = [{**asdict(f), "file": _path(f.file)} for f in found]
    return _json({"checked": list(checked), "errors": errors(found), "findings": rows})


def junit(found: Sequence[Finding], checked: Sequence[str]) -> str:
    """A test case for each query, as JUnit's XML has them; warnings are its output."""
    failed = len({f.query for f in found if f.level == "error"})
    suite = Xml.Element("testsuite", name="t2s batch check", tests=str(len(checked)), failures=str(failed), errors="0")
    for name in checked:
        case = Xml.SubElement(suite, "testcase", classname="t2s.batch", name=name)
        own = [f for f in found if f.query == name]
        for finding in own:
            message = _xml(finding.message)
            if finding.level == "error":
                failure = Xml.SubElement(case, "failure", type=finding.code, message=message)
                failure.text = _xml(f"{_path(finding.file)}:{finding.line}: {finding.message}")
            else:
                Xml.SubElement(case, "system-out").text = message
    suites = Xml.Element("testsuites")
    suites.append(suite)
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suites, encoding="unicode") + "\n"


def sarif(found: Sequence[Finding], checked: Sequence[str]) -> str:
    """SARIF 2.1.0 (OASIS), which code scanning reads."""
    rules = [{"id": code} for code in sorted({f.code for f in found})]
    results = [
        {
            "ruleId": f.code,
            "level": f.level,
            "message": {"text": f"{f.query}: {f.message}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _path(f.file)},
                        "region": {"startLine": f.line},
                    }
                }
            ],
        }
        for f in found
    ]
    driver = {"name": "t2s", "version": __version__, "rules": rules}
    return _json(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": results}],
        }
    )


REPORTS: dict[str, Report] = {
    "text": text,
    "json": json_report,
    "junit": junit,
    "sarif": sarif,
    "gitlab": gitlab,
    "github": github,
}


def errors(found: Sequence[Finding]) -> int:
    """How many of the findings fail the check."""
    return sum(f.level == "error" for f in found)


def _path(path: Path) -> str:
    """The path from here, with slashes, as the reports' readers want it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _xml(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(letter if letter >= " " or letter in "\t\n\r" else "�" for letter in text)
