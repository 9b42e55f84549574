"""A bad network, a made-up kubelet, and one whole life of a backend, to see what the operator survives."""
