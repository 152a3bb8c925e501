"""An AWS account with a service, a hook and all that these depend on, in which nothing is wrong; tests break it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from tests.conftest import GREEN, load_event
from tests.support.aws import AwsApi
from tests.support.layouts import BALANCER, DNS, LISTENER, PRODUCTION_RULE, TEST_RULE, by_listener, revision, rule

FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:ecs-hooks-PostTestTrafficShift"
INVOKE_ROLE = "arn:aws:iam::123456789012:role/ecs-hooks-invoke"
FUNCTION_ROLE = "arn:aws:iam::123456789012:role/ecs-hooks-function"
DEPLOYMENT = str(load_event()["resourceArn"])
SERVICE = "arn:aws:ecs:us-west-2:123456789012:service/my-cluster/my-service"
TRUST: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}

Json = dict[str, Any]


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def rules(port: int = 8080, *networks: str, group: str = "", prefix_list: str = "") -> Json:
    """Return a rule of a security group for a TCP port."""
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": network} for network in networks],
        "UserIdGroupPairs": [{"GroupId": group}] if group else [],
        "PrefixListIds": [{"PrefixListId": prefix_list}] if prefix_list else [],
    }


EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


class Account:
    """Answers AWS's calls from what it is made of.

    Attributes
    ----------
    service, hook, function, role
        As DescribeServices, GetFunctionConfiguration and GetRole show them.
    trust
        The trust policy of the invoke role.
    denied
        What the simulator answers otherwise than `allowed`, by action.
    balancer
        The load balancer.
    groups
        Security groups by id: rules for what comes in, and for what goes out.
    subnets
        VPC and network of each subnet.
    tables, endpoints
        Route tables and VPC endpoints.
    """

    def __init__(self, aws: AwsApi) -> None:
        self.aws = aws
        self.hook: Json = {
            "targetType": "AWS_LAMBDA",
            "hookTargetArn": FUNCTION,
            "roleArn": INVOKE_ROLE,
            "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
            "hookDetails": {"checks": [{"type": "http", "name": "health", "path": "/health"}]},
            "timeoutConfiguration": {"timeoutInMinutes": 60, "action": "ROLLBACK"},
        }
        self.configuration: Json = {"strategy": "BLUE_GREEN", "lifecycleHooks": [self.hook]}
        self.service: Json = {
            "serviceArn": SERVICE,
            "clusterArn": "arn:aws:ecs:us-west-2:123456789012:cluster/my-cluster",
            "serviceName": "my-service",
            "taskDefinition": "arn:aws:ecs:us-west-2:123456789012:task-definition/my-app:7",
            "deploymentConfiguration": self.configuration,
            "loadBalancers": revision()["loadBalancers"],
            "currentServiceRevisions": [{"arn": GREEN}],
            "networkConfiguration": {
                "awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-tasks"]}
            },
        }
        self.function: Json = {
            "FunctionName": "ecs-hooks-PostTestTrafficShift",
            "FunctionArn": FUNCTION,
            "Runtime": "python3.13",
            "Handler": "post_test_traffic_shift.lambda_handler",
            "Role": FUNCTION_ROLE,
            "Timeout": 120,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "Layers": [{"Arn": "arn:aws:lambda:us-west-2:123456789012:layer:EcsHooksLayer:1"}],
        }
        self.role: Json = {
            "Path": "/",
            "RoleName": "ecs-hooks-invoke",
            "RoleId": "AROAEXAMPLE",
            "Arn": INVOKE_ROLE,
            "CreateDate": datetime(2026, 11, 21, tzinfo=UTC),
        }
        self.trust: Any = policy(TRUST)
        self.denied: dict[str, Json] = {}
        self.balancer: Json = {
            "LoadBalancerArn": BALANCER,
            "DNSName": DNS,
            "Scheme": "internet-facing",
            "VpcId": "vpc-1",
            "SecurityGroups": ["sg-alb"],
            "AvailabilityZones": [{"SubnetId": "subnet-a"}, {"SubnetId": "subnet-b"}],
        }
        self.groups: dict[str, tuple[list[Json], list[Json]]] = {
            "sg-alb": ([rules(8080, "0.0.0.0/0")], [EVERYTHING]),
            "sg-hooks": ([], [EVERYTHING]),
            "sg-tasks": ([rules(8080, group="sg-hooks")], [EVERYTHING]),
            "sg-endpoint": ([rules(443, "10.0.0.0/16")], []),
        }
        self.subnets = {
            "subnet-a": ("vpc-1", "10.0.0.0/24"),
            "subnet-b": ("vpc-1", "10.0.1.0/24"),
            "subnet-x": ("vpc-2", "10.9.0.0/24"),
        }
        self.tables: list[Json] = [table({"NatGatewayId": "nat-1"})]
        self.endpoints: list[Json] = []
        self._answer()

    def _answer(self) -> None:
        aws = self.aws
        aws.answer("DescribeServices", lambda _: {"services": [self.service]})
        aws.answer("ListServiceDeployments", {"serviceDeployments": []})
        aws.answer("GetFunctionConfiguration", lambda _: self.function)
        aws.answer("GetRole", lambda _: {"Role": {**self.role, "AssumeRolePolicyDocument": self._trust()}})
        aws.answer("SimulatePrincipalPolicy", self._simulate)
        aws.error("GetPolicy", "ResourceNotFoundException", 404)
        aws.answer("DescribeRules", by_listener({TEST_RULE: rule(), PRODUCTION_RULE: rule()}))
        aws.answer("GetMetricData", lambda asked: {"MetricDataResults": [self._requests(asked)]})
        self.listener("HTTP", 8080)
        aws.answer("DescribeLoadBalancers", lambda _: {"LoadBalancers": [self.balancer]})
        aws.answer(
            "DescribeSecurityGroups",
            lambda asked: {"SecurityGroups": [self._group(each) for each in asked["GroupIds"]]},
        )
        aws.answer("DescribeSubnets", lambda asked: {"Subnets": [self._subnet(each) for each in asked["SubnetIds"]]})
        aws.answer("DescribeRouteTables", lambda _: {"RouteTables": self.tables})
        aws.answer("DescribeVpcEndpoints", lambda _: {"VpcEndpoints": self.endpoints})

    def _requests(self, asked: Json) -> Json:
        """Return ten requests a second in each hour."""
        stamps = [asked["StartTime"] + timedelta(hours=hour) for hour in range(168)]
        first = asked["MetricDataQueries"][0]["Id"]
        return {"Id": first, "Timestamps": stamps, "Values": [36_000.0] * 168, "StatusCode": "Complete"}

    def _trust(self) -> str:
        return quote(json.dumps(self.trust))

    def _group(self, name: str) -> Json:
        incoming, outgoing = self.groups[name]
        return {"GroupId": name, "IpPermissions": incoming, "IpPermissionsEgress": outgoing}

    def _subnet(self, name: str) -> Json:
        vpc, network = self.subnets[name]
        return {"SubnetId": name, "VpcId": vpc, "CidrBlock": network}

    def _simulate(self, asked: Json) -> Json:
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": "*",
                "EvalDecision": "allowed",
                **self.denied.get(action, {}),
            }
            for action in asked["ActionNames"]
        ]
        return {"EvaluationResults": results, "IsTruncated": False}

    def listener(self, protocol: str, port: int) -> None:
        """Have the test listener speak this."""
        self.aws.answer(
            "DescribeListeners", {"Listeners": [{"ListenerArn": LISTENER, "Protocol": protocol, "Port": port}]}
        )

    def deny(self, *actions: str, decision: str = "implicitDeny", **fields: Any) -> None:
        """Have IAM's simulator not allow actions."""
        self.denied |= {action: {"EvalDecision": decision, **fields} for action in actions}

    def invoke_policy(self, *statements: Json) -> None:
        """Give the function a policy of its own."""
        self.aws.answer("GetPolicy", {"Policy": json.dumps(policy(*statements))})

    def plan(self, *checks: Json, **fields: Any) -> None:
        """Give the hook another plan."""
        self.hook["hookDetails"] = {"checks": list(checks), **fields}

    def in_vpc(self, vpc: str = "vpc-1", *subnets: str) -> None:
        """Put the function into a VPC."""
        names = list(subnets or ("subnet-a", "subnet-b"))
        self.function["VpcConfig"] = {"VpcId": vpc, "SubnetIds": names, "SecurityGroupIds": ["sg-hooks"]}

    def internal(self, *incoming: Json) -> None:
        """Make the load balancer an internal one, with these rules for what comes in."""
        self.balancer["Scheme"] = "internal"
        self.groups["sg-alb"] = (list(incoming), [EVERYTHING])

    def without_test_listener(self) -> None:
        """Let the service have no test listener."""
        self.service["loadBalancers"] = revision(test="")["loadBalancers"]


def table(*routes: Json, subnet: str = "") -> Json:
    """Return a route table: that of a subnet, or else the main one, with the default routes given."""
    return {
        "RouteTableId": "rtb-1",
        "VpcId": "vpc-1",
        "Associations": [{"Main": not subnet, **({"SubnetId": subnet} if subnet else {})}],
        "Routes": [
            {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
            *({"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **route} for route in routes),
        ],
    }
