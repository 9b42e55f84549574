"""Building the project's container images with whatever there is, and running them for tests."""
