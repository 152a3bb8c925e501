"""BLUE_GREEN behind a Network Load Balancer: users on port 80, test traffic on port 8080, where the hook checks green.

ECS waits ten minutes longer at each shift of traffic, until every node of the load balancer has the change.

    cdk deploy --app "python nlb.py" -c vpc_id=vpc-0abc -c cluster=my-cluster -c image=my-image:1.2.3
"""

from __future__ import annotations

import os
from typing import Any

from aws_cdk import App, Duration, Environment, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2


def plan(base_url: str) -> dict[str, Any]:
    """Return the plan of the hook."""
    health = {
        "type": "http",
        "name": "health",
        "path": "/health",
        "expect": {"status": 200},
        "until": {"timeout_seconds": 60, "interval_seconds": 5},
    }
    return {"base_url": base_url, "checks": [health]}


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

in_vpc = ec2.Peer.ipv4(vpc.vpc_cidr_block)
# Internal, so the hooks have to run in the VPC (VpcSubnetIds of their stack). Users are in the VPC, too.
security_group = ec2.SecurityGroup(stack, "LoadBalancerSecurityGroup", vpc=vpc)
security_group.add_ingress_rule(in_vpc, ec2.Port.tcp(80), "production")
security_group.add_ingress_rule(in_vpc, ec2.Port.tcp(8080), "test: every client that reaches it gets green")
load_balancer = elbv2.NetworkLoadBalancer(stack, "LoadBalancer", vpc=vpc, security_groups=[security_group])
# The initial blue and green: each deployment exchanges them.
blue, green = (
    elbv2.NetworkTargetGroup(
        stack,
        name,
        vpc=vpc,
        target_type=elbv2.TargetType.IP,
        port=8080,
        health_check=elbv2.HealthCheck(protocol=elbv2.Protocol.HTTP, path="/health"),
    )
    for name in ("Blue", "Green")
)
# A Network Load Balancer has no rules: ECS changes the listeners themselves. CloudFormation leaves them alone
# as long as their own properties do not change.
production = load_balancer.add_listener("Production", port=80, default_target_groups=[blue])
test = load_balancer.add_listener("Test", port=8080, default_target_groups=[green])

service = ecs.FargateService(
    stack,
    "Service",
    cluster=cluster,
    task_definition=task_definition,
    desired_count=2,
    deployment_strategy=ecs.DeploymentStrategy.BLUE_GREEN,
    bake_time=Duration.minutes(10),
)
service.load_balancer_target(
    container_name="app",
    container_port=8080,
    alternate_target=ecs.AlternateTarget(
        "Alternate",
        alternate_target_group=green,
        production_listener=ecs.ListenerRuleConfiguration.network_listener(production),
        test_listener=ecs.ListenerRuleConfiguration.network_listener(test),
    ),
).attach_to_network_target_group(blue)
service.connections.allow_from(security_group, ec2.Port.tcp(8080))

# The L2 construct lacks hookDetails, the timeout and some stages, so the hooks are set on the L1 resource.
resource = service.node.default_child
resource.add_property_override(
    "DeploymentConfiguration.LifecycleHooks",
    [
        hook(
            stack,
            "PostTestTrafficShift",
            "POST_TEST_TRAFFIC_SHIFT",
            plan(f"http://{load_balancer.load_balancer_dns_name}:8080"),
        ),
    ],
)
app.synth()
