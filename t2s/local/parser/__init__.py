"""The trained parser: sketches of queries, filled from what a question mentions, ranked by a small model."""
