"""The baseline: the checks of a deployment as a competent team writes them by hand, with Powertools and boto3.

Powertools' parser and a pydantic model read the event, Powertools' logger writes the log. One boto3 client per
service is created when the module loads, for warm invocations. It makes the same checks as the hook: does the test
listener forward to green, what is its address, are green's targets healthy, is an alarm in ALARM, are the metrics
within their limits, does the health page respond. It is straight-line code without the hook's retries, deadlines,
state and reasons.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import boto3
import urllib3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel, event_parser
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

logger = Logger(service="by-hand")
ecs = boto3.client("ecs")
elbv2 = boto3.client("elbv2")
cloudwatch = boto3.client("cloudwatch")
http = urllib3.PoolManager()

WINDOW_SECONDS = 300


class ExecutionDetails(BaseModel):
    """`executionDetails` of the event."""

    service_arn: str = Field(alias="serviceArn")
    target_service_revision_arn: str = Field(alias="targetServiceRevisionArn")
    test_traffic_weights: dict[str, float] = Field(alias="testTrafficWeights")
    production_traffic_weights: dict[str, float] = Field(alias="productionTrafficWeights")


class HookDetails(BaseModel):
    """The configuration of the service, and the time of the first invocation."""

    path: str
    alarms: list[str]
    metrics: dict[str, float]
    began: float | None = None


class HookEvent(BaseModel):
    """The event."""

    execution_id: str = Field(alias="executionId")
    lifecycle_stage: str = Field(alias="lifecycleStage")
    resource_arn: str = Field(alias="resourceArn")
    execution_details: ExecutionDetails = Field(alias="executionDetails")
    hook_details: HookDetails = Field(alias="hookDetails")


class Rejected(Exception):  # noqa: N818 - a name as in code by hand
    """Green fails a check."""


@logger.inject_lambda_context
@event_parser(model=HookEvent)
def lambda_handler(event: HookEvent, context: LambdaContext) -> dict[str, Any]:
    """Return the answer to ECS."""
    try:
        return check(event)
    except Rejected as error:
        logger.warning("rejected: %s", error)
    except Exception:
        logger.exception("the checks failed")
    return {"hookStatus": "FAILED"}


def check(event: HookEvent) -> dict[str, Any]:
    """Run all checks in turn."""
    details = event.hook_details
    deployment = ecs.describe_service_deployments(serviceDeploymentArns=[event.resource_arn])["serviceDeployments"][0]
    if deployment["status"].startswith("ROLLBACK"):
        return {"hookStatus": "SUCCEEDED"}
    revision = ecs.describe_service_revisions(
        serviceRevisionArns=[event.execution_details.target_service_revision_arn]
    )["serviceRevisions"][0]
    target_group = revision["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"]
    rules = revision["loadBalancers"][0]["advancedConfiguration"]
    address = green_address(rules["testListenerRule"], target_group)
    check_production_rule(rules["productionListenerRule"], revision["loadBalancers"][0])
    check_targets(target_group)
    check_alarms(details.alarms)
    check_health(address + details.path)
    began = details.began or time.time()
    check_metrics(details.metrics, target_group, rules["productionListenerRule"], began)
    if time.time() - began < WINDOW_SECONDS:
        kept = details.model_copy(update={"began": began}).model_dump()
        return {"hookStatus": "IN_PROGRESS", "callBackDelay": 60, "hookDetails": kept}
    return {"hookStatus": "SUCCEEDED"}


def forwarded_to(rule: dict[str, Any]) -> set[str]:
    """Return the target groups that get traffic from a rule."""
    groups = rule["Actions"][-1]["ForwardConfig"]["TargetGroups"]
    return {group["TargetGroupArn"] for group in groups if group["Weight"]}


def green_address(rule_arn: str, target_group: str) -> str:
    """Return the address of the test listener, if it forwards to green."""
    rule = elbv2.describe_rules(RuleArns=[rule_arn])["Rules"][0]
    if forwarded_to(rule) != {target_group}:
        raise Rejected("the test listener does not forward to green")
    listener_arn = rule_arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
    listener = elbv2.describe_listeners(ListenerArns=[listener_arn])["Listeners"][0]
    balancer_arn = listener_arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0]
    balancer = elbv2.describe_load_balancers(LoadBalancerArns=[balancer_arn])["LoadBalancers"][0]
    return f"{listener['Protocol'].lower()}://{balancer['DNSName']}:{listener['Port']}"


def check_production_rule(rule_arn: str, load_balancer: dict[str, Any]) -> None:
    """Check that production traffic goes to blue or green."""
    rule = elbv2.describe_rules(RuleArns=[rule_arn])["Rules"][0]
    pair = {load_balancer["targetGroupArn"], load_balancer["advancedConfiguration"]["alternateTargetGroupArn"]}
    if not forwarded_to(rule) <= pair:
        raise Rejected("the production listener forwards to another target group")


def check_targets(target_group: str) -> None:
    """Check that green's targets are healthy."""
    targets = elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    if not targets or any(target["TargetHealth"]["State"] != "healthy" for target in targets):
        raise Rejected("a target is not healthy")


def check_alarms(names: list[str]) -> None:
    """Check that no alarm is in ALARM."""
    alarms = cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    for alarm in [*alarms["MetricAlarms"], *alarms["CompositeAlarms"]]:
        if alarm["StateValue"] == "ALARM":
            raise Rejected(f"alarm {alarm['AlarmName']}")


def check_health(url: str) -> None:
    """Check that green responds."""
    response = http.request("GET", url, timeout=10)
    if response.status != 200:  # noqa: PLR2004 - a status of HTTP
        raise Rejected(f"{url} answered {response.status}")


def check_metrics(limits: dict[str, float], target_group: str, rule_arn: str, began: float) -> None:
    """Check that no metric exceeds its limit."""
    dimensions = [
        {"Name": "TargetGroup", "Value": target_group.rpartition(":")[2]},
        {"Name": "LoadBalancer", "Value": "/".join(rule_arn.split("/")[1:4])},
    ]
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions},
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for number, name in enumerate(limits)
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=datetime.fromtimestamp(began, UTC), EndTime=datetime.now(UTC)
    )
    for result, (name, limit) in zip(answer["MetricDataResults"], limits.items(), strict=True):
        if any(value > limit for value in result["Values"]):
            raise Rejected(f"{name} is above {limit}")
