"""The parts of the chart that are made from something else."""
