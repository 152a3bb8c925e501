"""The compare check: differences between responses of green and of blue, beyond those between responses of blue."""
