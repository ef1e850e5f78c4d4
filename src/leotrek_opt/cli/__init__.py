"""The ``leotrek`` command line."""
