"""An AWS endpoint on loopback: moto's server, with the operations that moto lacks and those that a simulation answers.

`AWS_ENDPOINT_URL` points the hooks to it. Moto's state is global to the process, so two simulations in one process share
it; service deployments do not mix, since they are found by their ARNs.

This package imports nothing: moto takes a second to load, and `endpoint` and `answers` need it.
"""
