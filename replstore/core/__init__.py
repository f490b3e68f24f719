"""The core of a node: elections, the log, replication. Here a student can stop reading.

Law of this package: no socket, no thread, no clock, no file, no random numbers of its own. Time and random numbers are
arguments; what is to be done comes back as data (`contract`). It imports nothing of the rest of `replstore` but the
one function pair that says how large a value is as JSON (`json_text`). `replstore/README.md` has the reading order.
"""
