"""The other side: everything this backend asks of Label Studio, and how it introduces itself there."""
