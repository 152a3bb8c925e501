"""The same hooks under AWS CodeDeploy: deployments of ECS services and of Lambda functions.

CodeDeploy speaks another protocol than ECS. Its event names a deployment and an execution, nothing else; it takes no
answer but `PutLifecycleEventHookExecutionStatus`, waits an hour for it, and invokes a hook once. What ECS's event and
repeated invocations give, this package makes up for: `description` asks who is deployed and which hook this is, `plan`
finds what configures it, `schedule` has the function invoked again, `report` tells the verdict.
"""
