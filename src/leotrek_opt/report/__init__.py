"""Pictures and pages of what the library computes; they need the extra ``report``."""
