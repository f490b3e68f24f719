"""What a driver needs to carry out what the core says: texts of messages and records, answers, values, events, faults.

Law of this package: no socket, no thread, no clock, no file. The node's HTTP driver uses it, and so does the simulator.
"""
