"""CLINIC: from counts to levels, intervals, limits and calls."""
