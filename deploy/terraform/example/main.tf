# One org. The provider's own client is told by GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET.
terraform {
  required_providers {
    genesyscloud = {
      source = "mypurecloud/genesyscloud"
    }
  }
}

locals {
  region = "eu_central_1"
}

provider "genesyscloud" {
  aws_region = replace(local.region, "_", "-")
}

module "onhook" {
  source = "../"

  org       = "acme"
  region    = local.region
  divisions = ["Home", "Service Desk"]
}

output "region" {
  value = module.onhook.region
}

output "client_id" {
  value = module.onhook.client_id
}

output "client_secret" {
  value     = module.onhook.client_secret
  sensitive = true
}

output "onhook_toml" {
  value = module.onhook.onhook_toml
}
