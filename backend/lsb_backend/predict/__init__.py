"""From tasks to predictions: the queue before the model, the model that serves, the answer to a request."""
