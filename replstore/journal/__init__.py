"""A node's files: the journal that survives a crash, and the folder it lives in.

Law of this package: a record is durable when `Journal.sync` has returned, and what is read back is what was written, or
the journal says that it is damaged.
"""
