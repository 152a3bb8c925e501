"""The golden signals check, and the verdict on its counts."""
