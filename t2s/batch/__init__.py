"""Questions in a file, their SQL pinned by a lock, checked without a model."""
