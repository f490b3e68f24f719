"""The commands of `replab`, one module each."""
