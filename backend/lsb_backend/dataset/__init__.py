"""From annotated tasks to a folder that a trainer reads."""
