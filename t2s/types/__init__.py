"""The nouns of t2s: frozen values that every room shares."""
