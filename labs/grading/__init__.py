"""Grading: student code answers questions in a locked-up process, and the verdict is formed outside of it.

This package's own `__init__` imports nothing, because parts of it (`child`) are copied into that process.
"""
