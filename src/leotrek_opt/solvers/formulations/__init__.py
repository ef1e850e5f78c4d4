"""Arrays turned into mixed-integer models, and answers decoded back."""
