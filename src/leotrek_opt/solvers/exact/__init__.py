"""Exact special algorithms."""
