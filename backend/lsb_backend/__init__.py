"""The machine-learning side: Label Studio client, predictions, training, weights."""
