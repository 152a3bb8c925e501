"""Traffic of simulated services: the load balancer, its users, and faults."""
