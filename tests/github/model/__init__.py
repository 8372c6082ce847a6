"""What the small GitHub remembers, and what happens when someone changes it."""
