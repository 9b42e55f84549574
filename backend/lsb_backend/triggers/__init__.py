"""What starts a training: a button, a count of changed annotations, and the process that does it."""
