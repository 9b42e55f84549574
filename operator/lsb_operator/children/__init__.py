"""The children of a backend: one file each, resource and facts in, manifest out."""
