terraform {
  required_version = ">= 1.5"
  required_providers {
    genesyscloud = {
      source = "mypurecloud/genesyscloud"
      # knows expose_client_secret: since July 2025 the vendor tells a secret once only, to whoever makes the client
      version = ">= 1.76.1, < 2.0.0"
    }
  }
}
