"""Runs a model on pictures, whatever library computes it."""
