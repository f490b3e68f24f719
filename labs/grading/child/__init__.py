"""What runs inside the sandbox, beside the student's code.

Law of this folder: nothing in here is trusted by the grader, because the student's code shares a process with it. It
turns questions into calls and answers into plain values; whoever tampers with it can only give other answers. It
imports the standard library, `replstore`, `labs.trace.events` and `labs.cluster.base`, and none of the rest.
"""
