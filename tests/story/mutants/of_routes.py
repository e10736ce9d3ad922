"""Which call removes whom, what the guard knows of it, and what we log in with: each safeguard taken out once."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

ROUTES = (
    Mutant(
        "an id is a UUID again at the call",
        "genesys/routes.py",
        (("if not m.UUID.fullmatch(id_):", "if not id_:"),),
        "tests/genesys/test_egress.py::test_evil_ids_ask_for_nothing",
    ),
    Mutant(
        "the removal asks for nothing but state",
        "genesys/routes.py",
        (
            (
                """DISCONNECT = b'{"state":"disconnected"}'""",
                """DISCONNECT = b'{"state":"disconnected","wrapup":{}}'""",
            ),
        ),
        "tests/genesys/test_client.py::test_what_is_asked_and_with_what",
    ),
    Mutant(
        "one leg is never the whole participant",
        "genesys/routes.py",
        (
            (
                "shapes = (Shape.LEG,) if target.communication_id else",
                "shapes = (Shape.LEG, Shape.GENERIC) if target.communication_id else",
            ),
        ),
        "tests/genesys/test_client_routes.py::test_one_leg_that_has_no_call",
    ),
    Mutant(
        "a refused route is repeated only while another is left",
        "genesys/routes.py",
        (("kind=m.AnswerKind.REFUSED_FOR_NOW if is_left else answer.kind", "kind=m.AnswerKind.REFUSED_FOR_NOW"),),
        "tests/genesys/test_client_routes.py::test_no_route_left",
    ),
    Mutant(
        "a refused route is remembered",
        "genesys/routes.py",
        (("        self._refused.add(name)\n", ""),),
        "tests/genesys/test_client_routes.py::test_not_a_user_leads_to_the_next_route",
    ),
    Mutant(
        "on behalf of a user only where one is configured",
        "genesys/routes.py",
        (("*([Shape.ON_BEHALF] if options.on_behalf_of else [])", "Shape.ON_BEHALF"),),
        "tests/genesys/test_routes.py::test_the_ways_that_are_configured_and_possible",
    ),
    Mutant(
        "the guard knows the media that have a call, and no other word",
        "genesys/routes.py",
        (("""f"(?:{'|'.join(OWN_CALLS)})" if""", '"[a-z]+" if'),),
        "tests/genesys/test_egress.py::test_nothing_but_the_shapes_leaves",
    ),
    Mutant(
        "the guard knows the routes that are configured, and no other",
        "genesys/routes.py",
        (('shapes = ("/{conversation}", *_shapes(options), Shape.LEG)', 'shapes = ("/{conversation}", *Shape)'),),
        "tests/genesys/test_egress.py::test_nothing_but_the_shapes_leaves",
    ),
    Mutant(
        "one login is in flight for all who wait",
        "genesys/token.py",
        (("        if self._flight is None:\n", "        if True:\n"),),
        "tests/genesys/test_token.py::test_a_hundred_calls_cost_one_login",
    ),
    Mutant(
        "the login's Retry-After holds a renewal too",
        "genesys/token.py",
        (("if now >= max(known.renew_at, self._again_at):", "if now >= known.renew_at:"),),
        "tests/genesys/test_token.py::test_a_renewal_waits_as_long_as_it_is_told",
    ),
    Mutant(
        "what repeats the token is not kept",
        "genesys/client.py",
        (("answered = without(await self._caller.send(asked), token)", "answered = await self._caller.send(asked)"),),
        "tests/genesys/test_token.py::test_what_repeats_our_secrets_is_not_kept",
    ),
)
