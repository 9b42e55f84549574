"""The whole loop on one machine: annotate, train, and look at better predictions."""
