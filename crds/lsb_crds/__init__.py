"""The contract: what a manifest may say, and what it means."""
