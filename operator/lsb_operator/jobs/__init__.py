"""The Jobs of a backend, one file for each."""
