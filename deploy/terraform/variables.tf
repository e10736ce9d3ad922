variable "org" {
  description = "What Onhook calls this org: [orgs.NAME] in onhook.toml."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,31}$", var.org))
    error_message = "A name of an org has up to 32 of a-z, 0-9 and -, and does not begin with -."
  }
}

variable "region" {
  description = "The org's region as Onhook writes it, like eu_central_1: the provider's aws_region with _ for -."
  type        = string

  validation {
    condition = contains([
      "ap_northeast_1", "ap_northeast_2", "ap_northeast_3", "ap_south_1", "ap_southeast_1", "ap_southeast_2",
      "ca_central_1", "eu_central_1", "eu_central_2", "eu_west_1", "eu_west_2", "eusc_de_east_1", "me_central_1",
      "mx_central_1", "sa_east_1", "us_east_1", "us_east_2", "us_west_2",
    ], var.region)
    error_message = "No region that Onhook knows; deploy/genesys/README.md lists them."
  }
}

variable "divisions" {
  description = "Names of the divisions whose conversations are to be reached; of one in another division Genesys Cloud answers 403."
  type        = set(string)

  validation {
    condition     = length(var.divisions) > 0 && !contains(var.divisions, "*")
    error_message = "Name each division that is to be reached, one at least; all of them at once is not offered."
  }
}

variable "name" {
  description = "What the role and the OAuth client are called in Genesys Cloud."
  type        = string
  default     = "Onhook"
}

variable "token_validity_seconds" {
  description = "How long a token lasts. Onhook gets a new one in time, whatever this says."
  type        = number
  default     = 86400

  validation {
    condition     = var.token_validity_seconds >= 300 && var.token_validity_seconds <= 172800
    error_message = "A token lasts from five minutes (300) to two days (172800)."
  }
}

variable "secret_in_state" {
  description = "Whether Terraform keeps the client's secret, in its state and as an output. If not, a new one is made by hand: Admin, Integrations, OAuth."
  type        = bool
  default     = true
}
