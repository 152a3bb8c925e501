"""BLUE_GREEN of a service that only other services call, by Service Connect: X-Environment: test marks test traffic.

Only tasks of ECS services reach a Service Connect alias; a Lambda function does not. So `front_url` is the address of a
service of the namespace that calls this one and passes the header on.

    cdk deploy --app "python service_connect.py" -c vpc_id=vpc-0abc -c cluster=my-cluster -c image=my-image:1.2.3 -c namespace=my-ns -c front_url=http://front.example.com
"""

from __future__ import annotations

import os
from typing import Any

from aws_cdk import App, Duration, Environment, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs


def plan(base_url: str) -> dict[str, Any]:
    """Return the plan of the hook."""
    orders = {
        "type": "http",
        "name": "orders",
        "path": "/orders",
        "headers": {"X-Environment": "test"},
        "expect": {"status": "2xx", "max_latency_ms": 1000},
    }
    return {"base_url": base_url, "checks": [orders]}


def hook(stack: Stack, function: str, stage: str, details: dict[str, Any]) -> dict[str, Any]:
    """Return a lifecycle hook that invokes a function of the stack `ecs-hooks` (template.yaml)."""
    return {
        "HookTargetArn": Fn.import_value(f"ecs-hooks-{function}"),
        "RoleArn": Fn.import_value("ecs-hooks-InvokeRole"),
        "LifecycleStages": [stage],
        "HookDetails": stack.to_json_string(details),
        "TimeoutConfiguration": {"TimeoutInMinutes": 60, "Action": "ROLLBACK"},
    }


app = App()
stack = Stack(
    app,
    "orders",
    env=Environment(account=os.environ["CDK_DEFAULT_ACCOUNT"], region=os.environ["CDK_DEFAULT_REGION"]),
)
vpc = ec2.Vpc.from_lookup(stack, "Vpc", vpc_id=app.node.get_context("vpc_id"))
cluster = ecs.Cluster.from_cluster_attributes(stack, "Cluster", cluster_name=app.node.get_context("cluster"), vpc=vpc)
task_definition = ecs.FargateTaskDefinition(stack, "TaskDefinition")
task_definition.add_container(
    "app",
    image=ecs.ContainerImage.from_registry(app.node.get_context("image")),
    port_mappings=[ecs.PortMapping(container_port=8080, name="http", app_protocol=ecs.AppProtocol.http)],
)

service = ecs.FargateService(
    stack,
    "Service",
    cluster=cluster,
    task_definition=task_definition,
    desired_count=2,
    deployment_strategy=ecs.DeploymentStrategy.BLUE_GREEN,
    bake_time=Duration.minutes(10),
    # No target groups and no infrastructure role: the proxies of the callers shift the traffic.
    service_connect_configuration=ecs.ServiceConnectProps(
        namespace=app.node.get_context("namespace"),
        services=[ecs.ServiceConnectService(port_mapping_name="http", dns_name="orders", port=80)],
    ),
)

# The L2 construct lacks hookDetails, the timeout and some stages, so the hooks are set on the L1 resource.
resource = service.node.default_child
resource.add_property_override(
    "DeploymentConfiguration.LifecycleHooks",
    [
        hook(
            stack,
            "PostTestTrafficShift",
            "POST_TEST_TRAFFIC_SHIFT",
            plan(app.node.get_context("front_url")),
        ),
    ],
)
# The L2 construct lacks test traffic rules, too.
resource.add_property_override(
    "ServiceConnectConfiguration.Services.0.ClientAliases.0.TestTrafficRules",
    {"Header": {"Name": "X-Environment", "Value": {"Exact": "test"}}},
)
app.synth()
