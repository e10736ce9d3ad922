"""What keeps strangers out of the console, and viewers from acting, one taken out at a time."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_AT = "tests/web/console"
_SITE = f"{_AT}/test_site.py"

CONSOLE = (
    Mutant(
        "an operator's act needs an operator",
        "web/console/site.py",
        (("if not session.role.covers(place.role):", "if False:"),),
        f"{_SITE}::test_a_viewer_changes_nothing",
    ),
    Mutant(
        "a form carries its session's own token",
        "web/console/site.py",
        (("session.form_token.encode()):", "session.form_token.encode()) and False:"),),
        f"{_SITE}::test_forms_of_another_session",
    ),
    Mutant(
        "a form comes from a page of ours",
        "web/console/site.py",
        (('request.method == "POST" and not is_from_us(request.headers, self.hosts)', "False"),),
        f"{_SITE}::test_forms_of_another_page",
    ),
    Mutant(
        "what the browser says of where a form comes from counts",
        "web/console/origin.py",
        (('(sites and sites != ["same-origin"])', "False"),),
        f"{_AT}/test_origin.py::test_where_a_form_comes_from",
    ),
    Mutant(
        "a form without an origin is nobody's",
        "web/console/origin.py",
        (("    if len(origins) != 1 or", "    if not origins:\n        return True\n    if len(origins) != 1 or"),),
        f"{_AT}/test_origin.py::test_where_a_form_comes_from",
    ),
    Mutant(
        "a stranger's name for us is not ours (DNS rebinding)",
        "web/console/site.py",
        (("if not is_ours(request.headers, self.hosts):", "if False:"),),
        f"{_SITE}::test_a_strangers_name_for_us",
    ),
    Mutant(
        "a cookie is signed",
        "web/console/sessions.py",
        (("if not hmac.compare_digest(found[4], self._signature(holder, said)):", "if False:"),),
        f"{_AT}/test_sessions.py::test_every_character_counts",
    ),
    Mutant(
        "a session ends",
        "web/console/sessions.py",
        (("if not 0 < left <=", "if not left <="),),
        f"{_AT}/test_sessions.py::test_a_session",
    ),
    Mutant(
        "sessions that were made shorter end",
        "web/console/sessions.py",
        (("if not 0 < left <= self.seconds * 1000 + _SLACK:", "if not left > 0:"),),
        f"{_AT}/test_sessions.py::test_shorter_sessions_end_longer_ones",
    ),
    Mutant(
        "a new token ends the sessions of the old one",
        "web/console/sessions.py",
        (("{holder.token_sha256} {said}", "{said}"),),
        f"{_AT}/test_sessions.py::test_a_token_that_is_taken_away_ends_its_sessions",
    ),
    Mutant(
        "a weak token is nobody's",
        "web/console/sessions.py",
        (("if TOKEN.fullmatch(token) else", "if token else"),),
        f"{_AT}/test_sessions.py::test_a_weak_token_is_nobodys",
    ),
    Mutant(
        "each session has forms of its own",
        "web/console/sessions.py",
        (('self._keyed(f"form {said}")', 'self._keyed("form")'),),
        f"{_AT}/test_sessions.py::test_each_session_has_its_own_forms",
    ),
    Mutant(
        "wrong tokens are slowed down",
        "web/console/entrance.py",
        (("if len(self._wrong) >= WRONG_MOST:", "if False:"),),
        f"{_AT}/test_entrance.py::test_too_many_wrong_tokens",
    ),
    Mutant(
        "the login leads nowhere else",
        "web/console/entrance.py",
        (("return text if is_ours else ROOT", "return text"),),
        f"{_AT}/test_entrance.py::test_no_way_elsewhere",
    ),
    Mutant(
        "the cookie is for no script and no other site",
        "web/console/entrance.py",
        (("; HttpOnly; SameSite=Strict", ""),),
        f"{_AT}/test_entrance.py::test_the_cookie",
    ),
    Mutant(
        "a proxy is known by its address",
        "web/console/proxy.py",
        (("is_told and any(peer in network for network in self.networks)", "is_told"),),
        f"{_AT}/test_proxy.py::test_strangers",
    ),
    Mutant(
        "a proxy is known by its secret",
        "web/console/proxy.py",
        (("return is_told and", "return"),),
        f"{_AT}/test_proxy.py::test_strangers",
    ),
    Mutant(
        "a page is escaped",
        "web/console/pages.py",
        (("autoescape=True,", "autoescape=False,"),),
        f"{_AT}/test_pages.py::test_text_is_escaped",
    ),
    Mutant(
        "every answer has the policy",
        "web/console/pages.py",
        (('    "Content-Security-Policy": POLICY,\n', ""),),
        f"{_SITE}::test_every_answer_has_the_policy",
    ),
    Mutant(
        "a form has an end",
        "web/console/forms.py",
        (("if len(body) > MAX_FORM:", "if False:"),),
        f"{_AT}/test_forms.py::test_what_is_no_form",
    ),
    Mutant(
        "the key of the sessions is every secret's",
        "wiring/console.py",
        (("one.get_secret_value() for one in source.secrets", "one for one in ()"),),
        "tests/wiring/test_console.py::test_one_key_for_a_deployment",
    ),
)
