"""Which tables and columns a question needs: names, comments, values and keys, ranked and cut to a budget."""
