"""Methods that answer a problem: exact, heuristic, and the machinery they share."""
