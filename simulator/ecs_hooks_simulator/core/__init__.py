"""Clock, errors, faults, protocols and hook targets: what both simulated controllers are made of."""
