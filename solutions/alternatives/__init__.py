"""Other right answers. The grader must give them the same points as the reference: it judges what happens, not how."""
