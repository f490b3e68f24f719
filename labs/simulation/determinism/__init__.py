"""Whether a strategy does the same twice, and which line of it does not."""
