"""Commands about a backend in a cluster: what takes NAME, as `lsb` and as `kubectl lsb`."""
