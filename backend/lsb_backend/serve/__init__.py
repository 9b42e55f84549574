"""The server: what Label Studio calls, what people look at, and what keeps the newest model served."""
