"""Who sees whom and for how long: contact windows, change events, handovers."""
