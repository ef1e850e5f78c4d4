"""Documents in and out, and scenario generators."""
