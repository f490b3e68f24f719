"""HTTP/1.1: server, client link, parsers, and who is let in.

Law of this package: it does not know what a node is. A test reads its imports.
"""
