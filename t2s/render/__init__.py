"""Results and answers as people and programs read them."""

from t2s.render.clean import clean
from t2s.render.envelope import answer_data, envelope, error_envelope
from t2s.render.formats import FORMATS, write_result
from t2s.render.progress import Progress
from t2s.render.table import print_facts

__all__ = [
    "FORMATS",
    "Progress",
    "answer_data",
    "clean",
    "envelope",
    "error_envelope",
    "print_facts",
    "write_result",
]
