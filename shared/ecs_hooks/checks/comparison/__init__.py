"""The check `comparison`: metrics of green against those of blue."""
