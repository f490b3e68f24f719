"""What a run was: its events, and what they say about roles, messages, requests and the network.

Law of this folder: everything is derived from a list of `Event`s, and nothing is drawn. This file imports nothing,
because `events` is also copied into the sandbox.
"""
