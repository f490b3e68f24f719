"""Tools of those who develop the lab and of instructors; no part of the installed package."""
