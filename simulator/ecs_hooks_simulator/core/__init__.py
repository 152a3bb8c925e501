"""What both simulated controllers, ECS and CodeDeploy, are made of: clock, errors, faults, protocols, hook targets."""
