"""Fault injection on real nodes, judged by what clients saw.

Law of this package: the plan of faults comes from one seed, what clients are told is recorded as it is (ok, certainly
not, unknown), and the verdict rests on the recorded history and on what the nodes hold in the end. It never looks into
a node while it runs, except to choose a moment.

    python -m tools.nemesis --minutes 1 --mode quorum --election lowest-id --seed 7
"""
