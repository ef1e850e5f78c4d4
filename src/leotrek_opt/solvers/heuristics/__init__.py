"""Published heuristics, baselines, and our own."""
