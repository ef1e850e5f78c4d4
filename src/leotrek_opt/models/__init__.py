"""Declarative problems and their solutions: frozen, strict, without algorithms."""
