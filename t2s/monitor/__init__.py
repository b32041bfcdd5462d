"""Seeing what happens: each question is watched and recorded behind its back; statistics, findings, exports."""
