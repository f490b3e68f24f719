"""The course: the lesson's steps, its exercises, the student's working copy and the recorded failures."""
