"""Systematic search: every order of messages and timeouts of a strategy, up to a bound."""
