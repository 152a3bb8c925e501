"""Lambda functions whose versions CodeDeploy shifts traffic between."""
