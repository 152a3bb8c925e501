"""Lambda functions that CodeDeploy shifts traffic between."""
