"""Makes of the sources in deploy/servicenow what is made of them: two scripts of one template, and the update set.

`python -m tests.deploy.servicenow_kit` writes them; a test holds that they are up to date. The template is the one that
`onhook init` fills in, so there is one script and no second one to forget.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "servicenow"
TEMPLATES = ROOT / "service" / "wiring" / "templates" / "servicenow"
UPDATE_SET = "update-set.xml"
MADE_AT = "2026-11-26 00:00:00"
MADE = "// Made from service/wiring/templates/servicenow by: python -m tests.deploy.servicenow_kit\n"
HEADS = {
    "script-include.js": f"""\
// A Script Include named OnhookRemoval: asks for the removal of one person, and says truthfully what became of it.
{MADE}//
// Its secret stands in the property onhook.secret, the address in the REST message Onhook.
""",
    "ui-action.js": f"""\
// A UI Action "Remove Caller" on your table: a form button, Client unchecked. The agent waits, and is told.
{MADE}""",
}
PUT_IN = {"{{url}}": "''", "{{secret}}": "this._stored('onhook.secret')", "{{message}}": "'Onhook'"}
FIRST_LINE = (
    '<?xml version="1.0" encoding="UTF-8"?><!-- Not imported into any instance here: there was none to try it on. '
    "Preview it before you commit it; README.md says how to paste the scripts instead. -->"
)
# by table, then what a record is called there, and its fields; a text in <> is a file of the kit
Fields = dict[str, str]
RECORDS: list[tuple[str, str, str, Fields]] = [
    (
        "sys_script_include",
        "Script Include",
        "OnhookRemoval",
        {
            "access": "package_private",
            "active": "true",
            "api_name": "global.OnhookRemoval",
            "client_callable": "false",
            "name": "OnhookRemoval",
            "script": "<script-include.js>",
        },
    ),
    (
        "sys_ui_action",
        "UI Action",
        "Remove Caller",
        {
            "action_name": "onhook_remove_caller",
            "active": "true",
            "client": "false",
            "condition": "!gs.nil(current.getValue('u_genesys_conversation_id'))",
            "form_button": "true",
            "name": "Remove Caller",
            "order": "100",
            "script": "<ui-action.js>",
            "show_insert": "false",
            "show_update": "true",
            "table": "incident",
        },
    ),
    (
        "sys_script",
        "Business Rule",
        "Onhook: remove the caller",
        {
            "action_insert": "true",
            "action_update": "true",
            "active": "false",
            "advanced": "true",
            "collection": "incident",
            "filter_condition": "u_remove_caller=true^u_remove_callerVALCHANGES^EQ",
            "name": "Onhook: remove the caller",
            "order": "100",
            "script": "<business-rule.js>",
            "when": "async",
        },
    ),
    (
        "sys_ws_definition",
        "Scripted REST Service",
        "Onhook",
        {
            "active": "true",
            "consumes": "application/json",
            "name": "Onhook",
            "produces": "application/json",
            "service_id": "onhook",
        },
    ),
    (
        "sys_ws_operation",
        "Scripted REST Resource",
        "outcome",
        {
            "active": "true",
            "http_method": "POST",
            "name": "outcome",
            "operation_script": "<outcome-resource.js>",
            "relative_path": "/outcome",
            "requires_acl_authorization": "false",
            "requires_authentication": "true",
            "web_service_definition": "sys_ws_definition/Onhook",
        },
    ),
    (
        "sys_rest_message",
        "REST Message",
        "Onhook",
        {
            "authentication_type": "no_authentication",
            "description": "The signature is made by the Script Include OnhookRemoval. Set the endpoint.",
            "name": "Onhook",
            "rest_endpoint": "https://onhook.example.com/webhooks/servicenow",
        },
    ),
    (
        "sys_rest_message_fn",
        "HTTP Method",
        "remove",
        {
            "authentication_type": "inherit_from_parent",
            "function_name": "remove",
            "http_method": "post",
            "rest_message": "sys_rest_message/Onhook",
        },
    ),
    (
        "sys_properties",
        "System Property",
        "onhook.secret",
        {
            "description": "The source's secret, whsec_ included.",
            "name": "onhook.secret",
            "private": "true",
            "read_roles": "admin",
            "type": "password2",
            "value": "",
            "write_roles": "admin",
        },
    ),
    (
        "sys_properties",
        "System Property",
        "onhook.user",
        {
            "description": "The user that writes how a removal ended.",
            "name": "onhook.user",
            "read_roles": "admin",
            "type": "string",
            "value": "onhook",
            "write_roles": "admin",
        },
    ),
]


def made() -> dict[str, str]:
    """Return what is made, by its name in the folder."""
    scripts = {name: _filled(name) for name in HEADS}
    return scripts | {UPDATE_SET: _update_set(scripts)}


def sys_id(table: str, name: str) -> str:
    """Return the id of one of our records: always the same, so that a later set updates what an earlier one brought."""
    return hashlib.sha256(f"onhook {table} {name}".encode()).hexdigest()[:32]


def _filled(name: str) -> str:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    for mark, value in PUT_IN.items():
        text = text.replace(mark, value)
    return HEADS[name] + text


def _update_set(scripts: dict[str, str]) -> str:
    own = sys_id("sys_remote_update_set", "Onhook")
    header: Fields = {
        "application": "global",
        "application_name": "Global",
        "application_scope": "global",
        "description": "Remove Caller by Onhook: read deploy/servicenow/README.md",
        "name": "Onhook",
        "remote_sys_id": sys_id("sys_update_set", "Onhook"),
        "state": "loaded",
        "sys_class_name": "sys_remote_update_set",
        "sys_id": own,
    }
    lines = [FIRST_LINE, f'<unload unload_date="{MADE_AT}">', *_record("sys_remote_update_set", header)]
    for table, kind, name, fields in RECORDS:
        update = f"{table}_{sys_id(table, name)}"
        payload = "\n".join(_payload(table, name, fields, scripts))
        lines += _record(
            "sys_update_xml",
            {
                "action": "INSERT_OR_UPDATE",
                "application": "global",
                "category": "customer",
                "name": update,
                "payload": payload,
                "remote_update_set": own,
                "replace_on_upgrade": "false",
                "sys_id": sys_id("sys_update_xml", update),
                "target_name": name,
                "type": kind,
                "update_domain": "global",
            },
        )
    return "\n".join([*lines, "</unload>", ""])


def _payload(table: str, name: str, fields: Fields, scripts: dict[str, str]) -> list[str]:
    said = {field: _said(value, scripts) for field, value in fields.items()}
    id_ = sys_id(table, name)
    more = {"sys_class_name": table, "sys_id": id_, "sys_name": name, "sys_scope": "global"}
    lines = _record(table, said | more | {"sys_update_name": f"{table}_{id_}"})
    return ['<?xml version="1.0" encoding="UTF-8"?>', f'<record_update table="{table}">', *lines, "</record_update>"]


def _said(value: str, scripts: dict[str, str]) -> str:
    if value.startswith("<"):
        file = value.strip("<>")
        return scripts.get(file) or (FOLDER / file).read_text(encoding="utf-8")
    table, _, name = value.partition("/")
    known = {(one, other) for one, _, other, _ in RECORDS}
    return sys_id(table, name) if (table, name) in known else value


def _record(table: str, fields: Fields) -> list[str]:
    inside = [f"<{name}>{escape(value)}</{name}>" for name, value in fields.items()]
    return [f'<{table} action="INSERT_OR_UPDATE">', *inside, f"</{table}>"]


if __name__ == "__main__":
    for file, text in made().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
