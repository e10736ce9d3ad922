"""What a refusal looks like: the error bodies of the API, the login and the desk, which clients take apart."""

from typing import Final

from service.sandbox.exchange import Answer, json_answer

_DENIED: Final = "Unable to perform the requested action. You "
# the vendor's published codes and sentences; {names} are its message parameters
_SENTENCES: Final = {
    "bad.request": "The request could not be understood by the server due to malformed syntax.",
    "invalid.value": "Value [{value}] is not valid for field type [{type}]. Allowable values are: {allowed}",
    "not.a.user": "This request requires a user context. Client credentials cannot be used for requests to this "
    "resource.",
    "communication.state.required": "Can only update a communication's state to disconnected.",
    "conversation.error.call.disconnected": "The call is already disconnected.",
    "conversation.error.cannot.disconnect.call": "The call for this request cannot be disconnected.",
    "conversation.error.participant.no.active.conversations": "The participant has no active conversation.",
    "authentication.required": "No authentication bearer token specified in authorization header.",
    "bad.credentials": "Invalid login credentials.",
    "credentials.expired": "The credentials have expired.",
    "missing.permissions": _DENIED + "are missing the following permission(s): {permission}",
    "missing.any.permissions": _DENIED + "must have at least one of the following permissions assigned: {permission}",
    "missing.division.permission": _DENIED + "are missing the following permission(s) in the division: {permission}",
    "not.authorized": "Access to Conversation {conversation} is forbidden",
    "not.found": "The requested resource was not found.",
    "conversation.error.conversation.not.found": "The conversation does not exist.",
    "conversation.error.not.conversation.participant": "User is not a participant in the conversation.",
    "client.timeout": "The client did not send the request in time.",
    "general.conflict": "The requested action cannot be completed because of the current state of the resource.",
    "request.entity.too.large": "The request is larger than the server is willing to process.",
    "unsupported.media.type": "Unsupported Media Type - Unsupported or incorrect media type, such as an incorrect "
    "Content-Type value in the header.",
    "too.many.requests.retry.after": "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
    "internal.server.error": "The server encountered an unexpected condition which prevented it from fulfilling the "
    "request.",
    "service.unavailable": "Service Unavailable - The server is currently unavailable (because it is overloaded or "
    "down for maintenance).",
    "request.timeout": "The request timed out.",
}
_USUAL_CODES: Final = {
    400: "bad.request",
    401: "bad.credentials",
    403: "missing.permissions",
    404: "not.found",
    408: "client.timeout",
    409: "general.conflict",
    413: "request.entity.too.large",
    415: "unsupported.media.type",
    429: "too.many.requests.retry.after",
    500: "internal.server.error",
    503: "service.unavailable",
    504: "request.timeout",
}
_DESK_SENTENCES: Final = {
    400: ("Invalid request", "The request could not be read"),
    401: ("User Not Authenticated", "Required to provide Auth information"),
    403: ("Operation Failed", "ACL Exception Update Failed due to security constraints"),
    404: ("No Record found", "Record doesn't exist or ACL restricts the record retrieval"),
    405: ("Method not allowed", "Method not supported on this resource"),
    429: ("Rate limit exceeded", "Too many requests"),
}
RETRY_AFTER_SECONDS: Final = 2  # of a 429 made by a rule: short enough for a demo, long enough to be noticed


def api_error(status: int, code: str | None, message: str | None, correlation_id: str, **params: str) -> Answer:
    """Return the API's error body; without a code the usual one of that status, without a message its sentence."""
    if status not in _USUAL_CODES and code is None:
        page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>".encode()
        return Answer(status, page, "text/html")  # what a gateway in front of the API says, 502 above all
    code = code or _USUAL_CODES[status]
    params = {"seconds": str(RETRY_AFTER_SECONDS), **params}
    sentence = _SENTENCES.get(code, code)
    used = {name: value for name, value in params.items() if message is None and f"{{{name}}}" in sentence}
    body = {
        "message": sentence.format(**params) if message is None else message,
        "code": code,
        "status": status,
        "messageWithParams": message or sentence,
        "messageParams": used,
        "contextId": correlation_id,
        "details": [],
        "errors": [],
    }
    later = {"Retry-After": params["seconds"]} if status == 429 else {}  # noqa: PLR2004 -- an HTTP status is its own name
    return json_answer(status, body, headers=later)


def login_error(status: int, code: str | None, message: str | None) -> Answer:
    """Return the token endpoint's error body."""
    said = message or "authentication failed"
    return json_answer(status, {"error": code or "invalid_client", "description": said, "error_description": said})


def desk_error(status: int, code: str | None, message: str | None) -> Answer:
    """Return the desk's error body; `code` becomes its message, `message` its detail."""
    usual, detail = _DESK_SENTENCES.get(status, ("Internal Server Error", "The request could not be completed"))
    later = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 429 else {}  # noqa: PLR2004 -- as above
    body = {"error": {"message": code or usual, "detail": message or detail}, "status": "failure"}
    return json_answer(status, body, headers=later)


def plain_error(status: int, code: str | None, message: str | None) -> Answer:
    """Return the small error body of the control and of the webhook receiver."""
    return json_answer(status, {"error": message or code or f"answered {status} as told"})
