"""Runs in virtual time: the simulator, schedules of faults, the systematic search and the search for non-determinism.

Law of this folder: it drives the same core as a real node does, and knows no cluster, no rule and no picture.
"""
