"""AWS clients, calls with retries and deadlines, and the calls that no other package needs facts for."""
