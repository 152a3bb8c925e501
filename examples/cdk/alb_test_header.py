"""CANARY behind an Application Load Balancer with one listener: requests with X-Environment: test are test traffic.

One hook sends requests to green before any user does, another one runs before each of the two steps.

    cdk deploy --app "python alb_test_header.py" -c vpc_id=vpc-0abc -c cluster=my-cluster -c image=my-image:1.2.3
"""

from __future__ import annotations

import os
from typing import Any

from aws_cdk import App, Duration, Environment, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2


def smoke_test(base_url: str) -> dict[str, Any]:
    """Return the plan for before any user gets green."""
    health = {
        "type": "http",
        "name": "health",
        "path": "/health",
        "headers": {"X-Environment": "test"},
        "expect": {"status": 200, "max_latency_ms": 500},
    }
    return {"base_url": base_url, "checks": [health]}


def before_each_step(base_url: str) -> dict[str, Any]:
    """Return the plan for before 10 %, and again before 100 % of the users get green."""
    orders = {
        "type": "http",
        "name": "orders",
        "path": "/orders",
        "headers": {"X-Environment": "test"},
        "expect": {"status": "2xx"},
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
    port_mappings=[ecs.PortMapping(container_port=8080)],
)

# Internal, so the hooks have to run in the VPC (VpcSubnetIds of their stack).
load_balancer = elbv2.ApplicationLoadBalancer(stack, "LoadBalancer", vpc=vpc)
# The initial blue and green: each deployment exchanges them.
blue, green = (
    elbv2.ApplicationTargetGroup(
        stack,
        name,
        vpc=vpc,
        target_type=elbv2.TargetType.IP,
        protocol=elbv2.ApplicationProtocol.HTTP,
        port=8080,
        health_check=elbv2.HealthCheck(path="/health"),
    )
    for name in ("Blue", "Green")
)
# ECS changes the weights. CloudFormation leaves them alone as long as the rule's own properties do not change.
to_blue = elbv2.ListenerAction.weighted_forward(
    [
        elbv2.WeightedTargetGroup(target_group=blue, weight=100),
        elbv2.WeightedTargetGroup(target_group=green, weight=0),
    ]
)
# Default actions are never reached, as a rule below matches every path. ECS documents problems with listeners whose
# actions are other than forward, so they forward.
http = load_balancer.add_listener("Http", port=80, default_target_groups=[blue])
# The test rule comes first, since the production rule matches everything.
test_rule = elbv2.ApplicationListenerRule(
    stack,
    "TestRule",
    listener=http,
    priority=1,
    conditions=[elbv2.ListenerCondition.http_header("X-Environment", ["test"])],
    action=to_blue,
)
production_rule = elbv2.ApplicationListenerRule(
    stack,
    "ProductionRule",
    listener=http,
    priority=2,
    conditions=[elbv2.ListenerCondition.path_patterns(["/*"])],
    action=to_blue,
)
base_url = f"http://{load_balancer.load_balancer_dns_name}"

service = ecs.FargateService(
    stack,
    "Service",
    cluster=cluster,
    task_definition=task_definition,
    desired_count=2,
    deployment_strategy=ecs.DeploymentStrategy.CANARY,
    canary_configuration=ecs.TrafficShiftConfig(step_percent=10, step_bake_time=Duration.minutes(10)),
    bake_time=Duration.minutes(10),
)
service.load_balancer_target(
    container_name="app",
    container_port=8080,
    alternate_target=ecs.AlternateTarget(
        "Alternate",
        alternate_target_group=green,
        production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(production_rule),
        test_listener=ecs.ListenerRuleConfiguration.application_listener_rule(test_rule),
    ),
).attach_to_application_target_group(blue)

# The L2 construct lacks hookDetails, the timeout and some stages, so the hooks are set on the L1 resource.
resource = service.node.default_child
resource.add_property_override(
    "DeploymentConfiguration.LifecycleHooks",
    [
        hook(stack, "PostTestTrafficShift", "POST_TEST_TRAFFIC_SHIFT", smoke_test(base_url)),
        hook(stack, "PreProductionTrafficShift", "PRE_PRODUCTION_TRAFFIC_SHIFT", before_each_step(base_url)),
    ],
)
app.synth()
