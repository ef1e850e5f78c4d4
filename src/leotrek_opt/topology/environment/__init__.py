"""What sunlight does to satellites, step by step: eclipse, heat and charge."""
