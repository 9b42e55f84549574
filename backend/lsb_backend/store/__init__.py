"""The weights store: every version of a model, and which of them serves."""
