"""The comparison check: compares CloudWatch metrics of green with those of blue."""
