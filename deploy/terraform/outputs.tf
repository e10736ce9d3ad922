# Each output but the last is called as the setting of [orgs.NAME] that it is for.
output "region" {
  description = "orgs.*.region"
  value       = var.region
}

output "client_id" {
  description = "orgs.*.client_id"
  value       = genesyscloud_oauth_client.onhook.id
}

output "client_secret" {
  description = "orgs.*.client_secret, for a file that only its owner can read."
  value       = var.secret_in_state ? genesyscloud_oauth_client.onhook.client_secret : null
  sensitive   = true
}

output "onhook_toml" {
  description = "What goes into onhook.toml; the secret does not. In shadow mode everybody is told who would go, and nobody goes."
  value       = <<-EOT
    [orgs.${var.org}]
    region = "${var.region}"
    client_id = "${genesyscloud_oauth_client.onhook.id}"
    mode = "shadow"
  EOT
}
