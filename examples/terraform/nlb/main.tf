# BLUE_GREEN behind a Network Load Balancer: users on port 80, test traffic on port 8080. ECS waits ten minutes longer at
# each shift of traffic, until every node of the load balancer has the change.

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

variable "container_name" {
  type = string
}

variable "container_port" {
  type    = number
  default = 8080
}

variable "vpc_id" {
  type = string
}

variable "load_balancer_subnet_ids" {
  type = list(string)
}

variable "internal" {
  type        = bool
  default     = true
  description = "To reach an internal load balancer, the hooks have to run in the VPC (VpcSubnetIds of their stack)"
}

variable "load_balancer_security_group_id" {
  type        = string
  description = "Admits users to port 80, and only the hooks to port 8080"
}

variable "task_subnet_ids" {
  type = list(string)
}

variable "task_security_group_id" {
  type        = string
  description = "Allows the load balancer on the container's port"
}

locals {
  plan = {
    base_url = "http://${aws_lb.this.dns_name}:8080"
    checks = [
      {
        type   = "http"
        name   = "health"
        path   = "/health"
        expect = { status = 200 }
        until  = { timeout_seconds = 60, interval_seconds = 5 }
      }
    ]
  }
}

data "aws_cloudformation_stack" "hooks" {
  name = var.hooks_stack
}

resource "aws_lb" "this" {
  load_balancer_type = "network"
  internal           = var.internal
  subnets            = var.load_balancer_subnet_ids
  security_groups    = [var.load_balancer_security_group_id]
}

# The initial blue and green: each deployment exchanges them.
resource "aws_lb_target_group" "blue" {
  name_prefix = "blue-"
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "TCP"
  port        = var.container_port

  health_check {
    protocol = "HTTP"
    path     = "/health"
  }
}

resource "aws_lb_target_group" "green" {
  name_prefix = "green-"
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "TCP"
  port        = var.container_port

  health_check {
    protocol = "HTTP"
    path     = "/health"
  }
}

# A Network Load Balancer has no rules: ECS changes the listeners themselves.
resource "aws_lb_listener" "production" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "TCP"
  port              = 80

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.blue.arn
  }

  lifecycle {
    ignore_changes = [default_action] # ECS changes the traffic; a later apply must not reset it
  }
}

resource "aws_lb_listener" "test" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "TCP"
  port              = 8080

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.green.arn
  }

  lifecycle {
    ignore_changes = [default_action] # ECS changes the traffic; a later apply must not reset it
  }
}

data "aws_partition" "this" {}

# The role with which ECS changes targets and traffic.
resource "aws_iam_role" "infrastructure" {
  name_prefix = "ecs-infrastructure-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "infrastructure" {
  role       = aws_iam_role.infrastructure.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
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

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = var.container_name
    container_port   = var.container_port

    advanced_configuration {
      alternate_target_group_arn = aws_lb_target_group.green.arn
      production_listener_rule   = aws_lb_listener.production.arn
      test_listener_rule         = aws_lb_listener.test.arn
      role_arn                   = aws_iam_role.infrastructure.arn
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

  depends_on = [aws_iam_role_policy_attachment.infrastructure]
}
