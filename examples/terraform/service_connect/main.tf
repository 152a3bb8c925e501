# BLUE_GREEN of a service that only other services call, by Service Connect: requests with the header X-Environment: test
# are test traffic.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.66" # older ones have no timeout_configuration, or no hook_details at all
    }
  }
}

variable "hooks_stack" {
  type        = string
  default     = "ecs-hooks"
  description = "The CloudFormation stack of template.yaml: its outputs are the functions and the role to invoke them"
}

variable "cluster_arn" {
  type = string
}

variable "task_definition_arn" {
  type        = string
  description = "A new revision of it starts a deployment"
}

variable "task_subnet_ids" {
  type = list(string)
}

variable "task_security_group_id" {
  type        = string
  description = "Allows the callers' tasks on the container's port"
}

variable "port_name" {
  type        = string
  default     = "http"
  description = "Name of the port mapping in the task definition; headers require the appProtocol http"
}

variable "namespace_arn" {
  type        = string
  description = "The Cloud Map namespace that this service and its callers share"
}

# Only tasks of ECS services reach a Service Connect alias; a Lambda function does not.
variable "front_url" {
  type        = string
  description = "Address of a service of the namespace that calls this one and hands the header on"
}

locals {
  plan = {
    base_url = var.front_url
    checks = [
      {
        type    = "http"
        name    = "orders"
        path    = "/orders"
        headers = { "X-Environment" = "test" }
        expect  = { status = "2xx", max_latency_ms = 1000 }
      }
    ]
  }
}

data "aws_cloudformation_stack" "hooks" {
  name = var.hooks_stack
}

resource "aws_ecs_service" "this" {
  name            = "orders"
  cluster         = var.cluster_arn
  task_definition = var.task_definition_arn
  launch_type     = "FARGATE"
  desired_count   = 2

  # Without it, apply succeeds as soon as the deployment has begun, even if a hook rolls it back.
  wait_for_steady_state = true

  timeouts {
    create = "90m" # the default of 20 minutes is shorter than a bake time and a waiting hook
    update = "90m"
  }

  network_configuration {
    subnets         = var.task_subnet_ids
    security_groups = [var.task_security_group_id]
  }

  # No target groups and no infrastructure role: the proxies of the callers shift the traffic.
  service_connect_configuration {
    enabled   = true
    namespace = var.namespace_arn

    service {
      port_name = var.port_name

      client_alias {
        port     = 80
        dns_name = "orders"

        test_traffic_rules {
          header {
            name = "X-Environment"

            value {
              exact = "test"
            }
          }
        }
      }
    }
  }

  deployment_configuration {
    strategy             = "BLUE_GREEN"
    bake_time_in_minutes = "10"

    lifecycle_hook {
      hook_target_arn  = data.aws_cloudformation_stack.hooks.outputs["PostTestTrafficShiftArn"]
      role_arn         = data.aws_cloudformation_stack.hooks.outputs["InvokeRoleArn"]
      lifecycle_stages = ["POST_TEST_TRAFFIC_SHIFT"]
      hook_details     = jsonencode(local.plan)

      timeout_configuration {
        timeout_in_minutes = 60
        action             = "ROLLBACK"
      }
    }
  }
}
