"""Solver engines behind one protocol."""
