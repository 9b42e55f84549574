"""The training program: from annotations in Label Studio to a judged version in the store."""
