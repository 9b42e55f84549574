"""Label Studio's label config and regions: what a model fills in, and what it learns from."""
