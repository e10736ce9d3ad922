# The one thing Onhook may do in Genesys Cloud: look at a conversation, and take one participant out of it.
resource "genesyscloud_auth_role" "onhook" {
  name        = var.name
  description = "Look at a conversation and disconnect one participant; nothing else"

  permission_policies {
    domain      = "conversation"
    entity_name = "communication"
    action_set  = ["view", "disconnect"]
  }
}

data "genesyscloud_auth_division" "reached" {
  for_each = var.divisions
  name     = each.value
}

# A client of its own: the 300 requests a minute of a token are shared by everything that uses the same client.
resource "genesyscloud_oauth_client" "onhook" {
  name                          = var.name
  description                   = "Onhook: removes one participant when a ticket asks for it"
  authorized_grant_type         = "CLIENT-CREDENTIALS"
  access_token_validity_seconds = var.token_validity_seconds
  expose_client_secret          = var.secret_in_state

  # scopes do not apply to this grant; without a division_id the role would be given in the home division
  dynamic "roles" {
    for_each = data.genesyscloud_auth_division.reached

    content {
      role_id     = genesyscloud_auth_role.onhook.id
      division_id = roles.value.id
    }
  }
}
