"""What responses of green have that those of blue have not, beyond what blue's own responses differ in."""
