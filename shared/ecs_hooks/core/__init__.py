"""What all other folders may import: no I/O."""
