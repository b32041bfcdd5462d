"""t2s turns a question in English or Chinese into SQL that is right, safe and cheap."""

__version__ = "0.1.0"
