"""The Kubernetes side: a resource in, its children and its status out."""
