"""Satellites, links and routes as arrays, one snapshot after another."""
