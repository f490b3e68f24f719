"""Nodes as they are tested: named in `ELECTION`, so that a node loads them like a student's strategy.

Each module here changes the node process that imports it and offers the elections under their own names.
"""
