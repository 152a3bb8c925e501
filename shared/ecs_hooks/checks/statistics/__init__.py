"""Statistics without numpy and scipy, so that the Lambda layer stays small.

The p-values are those of `scipy.stats`; tests compare them to within 1e-9.
"""
