"""What a refusal looks like: the error bodies of the API, the login and the desk, which clients take apart."""

from typing import Final

from service.sandbox.exchange import Answer, json_answer

_DENIED: Final = "Unable to perform the requested action. You "
_MALFORMED: Final = "The request could not be understood by the server due to malformed syntax."
_NO_SUCH_TYPE: Final = "Unsupported Media Type - Unsupported or incorrect"
_TOO_LARGE: Final = "The request is larger than the server is willing to process."
_NOT_ITS_STATE: Final = "The requested action cannot be completed because of the current state of the resource."
# the vendor's published codes: each with its status and its sentence; {names} are the message parameters
CODES: Final[dict[str, tuple[int, str]]] = {
    "bad.request": (400, _MALFORMED),
    "invalid.value": (400, "Value [{value}] is not valid for field type [{type}]. Allowable values are: {allowed}"),
    "invalid.date": (400, "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ"),
    "response.entity.too.large": (400, "The response is over the size limit."),
    "not.a.user": (
        400,
        "This request requires a user context. Client credentials cannot be used for requests to this resource.",
    ),
    "communication.state.required": (400, "Can only update a communication's state to disconnected."),
    "conversation.error.call.disconnected": (400, "The call is already disconnected."),
    "conversation.error.cannot.disconnect.call": (400, "The call for this request cannot be disconnected."),
    "conversation.error.participant.no.active.conversations": (400, "The participant has no active conversation."),
    "conversation.error.hold.alerting": (400, "An alerting call cannot be placed on hold."),
    "conversation.error.cannot.create.conference": (400, "Unable to create a conference."),
    "conversation.error.cannot.confine.party": (400, "The participant for this request cannot be confined."),
    "conversation.error.wrapup.code.required": (400, "Wrapup code is a required field and cannot be empty."),
    "conversation.error.wrapup.cannot.skip": (400, "Wrap-up cannot be skipped for this participant."),
    "authentication.required": (401, "No authentication bearer token specified in authorization header."),
    "bad.credentials": (401, "Invalid login credentials."),
    "credentials.expired": (401, "The credentials have expired."),
    "ip.not.authorized": (401, "The requesting IP address is not authorized."),
    "unauthorized": (401, "Unauthorized."),
    "missing.permissions": (403, f"{_DENIED}are missing the following permission(s): {{permission}}"),
    "missing.any.permissions": (
        403,
        f"{_DENIED}must have at least one of the following permissions assigned: {{permission}}",
    ),
    "missing.division.permission": (
        403,
        f"{_DENIED}are missing the following permission(s) in the division: {{permission}}",
    ),
    "not.authorized": (403, "Access to Conversation {conversation} is forbidden"),
    "conversation.error.forbidden.not.active.participant": (
        403,
        "User is not active on call and cannot alter recordingState",
    ),
    "not.found": (404, "The requested resource was not found."),
    "conversation.error.conversation.not.found": (404, "The conversation does not exist."),
    "conversation.error.not.conversation.participant": (404, "User is not a participant in the conversation."),
    "client.timeout": (408, "The client did not send the request in time."),
    "general.conflict": (409, _NOT_ITS_STATE),
    "general.resource.conflict": (409, _NOT_ITS_STATE),
    "request.entity.too.large": (413, _TOO_LARGE),
    "unsupported.media.type": (
        415,
        f"{_NO_SUCH_TYPE} media type, such as an incorrect Content-Type value in the header.",
    ),
    "too.many.requests": (429, "Rate limit exceeded the maximum [{allowed}] requests within [{seconds}] seconds"),
    "too.many.requests.retry.after": (
        429,
        "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
    ),
    "internal.server.error": (
        500,
        "The server encountered an unexpected condition which prevented it from fulfilling the request.",
    ),
    "service.unavailable": (
        503,
        "Service Unavailable - The server is currently unavailable (because it is overloaded or down for maintenance).",
    ),
    "request.timeout": (504, "The request timed out."),
    "authentication.request.timeout": (504, "Authentication request timeout."),
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
_PARAMS: Final = {  # for a rule that says a code out of place
    "seconds": str(RETRY_AFTER_SECONDS), "allowed": "none", "value": "none", "type": "none", "conversation": "none",
    "permission": "none",
}  # fmt: skip


def api_error(status: int, code: str | None, message: str | None, correlation_id: str, **params: str) -> Answer:
    """Return the API's error body; without a code the usual one of that status, without a message its sentence."""
    if status not in _USUAL_CODES and code is None:
        return Answer(status, html_page(status), "text/html")  # a gateway in front of the API says it, 502 above all
    code = code or _USUAL_CODES[status]
    params = {**_PARAMS, **params}
    sentence = CODES[code][1] if code in CODES else code
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


def html_page(status: int) -> bytes:
    """Return the page a gateway shows instead of the API's answer."""
    return f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>".encode()


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
