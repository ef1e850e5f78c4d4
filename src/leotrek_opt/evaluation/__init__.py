"""What a solution is worth and which rules it breaks, by code that knows no solver."""
