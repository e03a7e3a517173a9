"""BENCH: from reads to the counts table."""
