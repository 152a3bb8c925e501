"""Hooks under AWS CodeDeploy, for deployments of ECS services and of Lambda functions.

CodeDeploy's event has only the ids of the deployment and of the hook execution. CodeDeploy invokes a hook once, ignores its
response, and waits an hour for `PutLifecycleEventHookExecutionStatus`. `description` reads the deployment, the running hook
and its plan, `schedule` lets EventBridge Scheduler invoke the function again, and `report` sends the verdict.
"""
