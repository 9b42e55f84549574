"""What can go wrong with a backend, each in one sentence that says what to do."""
