"""The process in which a submission runs: started, isolated, limited, asked and ended.

Law of this folder: whatever comes out of that process is data that was checked, never code and never a verdict.
"""
