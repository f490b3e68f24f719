"""Is a node right? `replab conform -- CMD` asks a node in any language, sentence by sentence, whether it does what the
lesson says.

Reading order: `check` (what a check is), `scene` (what a check can do), the levels `wire`, `steps`, `faults`, and
`runner`, which asks them one after the other and makes a report.
"""
