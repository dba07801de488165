"""The static answers of an MRE: which of them matches a request."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from uvmre.gateway.http.exchange import Exchange, Response
from uvmre.gateway.index.pypi_proxy import basic_auth, is_authorized
from uvmre.gateway.routing.faults import FaultInjector, matches

if TYPE_CHECKING:
    from uvmre.core.network.index import StaticAnswer


def static_answer(
    answers: "Sequence[StaticAnswer]", files: Mapping[str, bytes], exchange: Exchange, counts: FaultInjector
) -> Response | None:
    """Return the first answer that matches a request; each match is counted."""
    for n, answer in enumerate(answers):
        if _applies(answer, exchange) and (answer.times is None or counts.count(("answer", n)) <= answer.times):
            headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
            if answer.redirect:
                headers.append((b"location", answer.redirect.encode()))
            return Response(answer.response_status, tuple(headers), files.get(answer.file, answer.body.encode()))
    return None


def _applies(answer: "StaticAnswer", exchange: Exchange) -> bool:
    sent = exchange.authorization
    fits = {"": True, "any": sent is not None, "none": sent is None}.get(answer.credentials)
    if fits is None:
        fits = sent is not None and is_authorized(basic_auth(*answer.credentials.split(":", 1)), sent)
    name, _, pattern = answer.header.partition(": ")
    value = exchange.fields.get(name.lower().encode())
    return (
        fits
        and answer.method in ("", exchange.method)
        and matches(answer.url, exchange.url)
        and (not name or (value is not None and matches(pattern, value.decode("latin-1"), raw=True)))
    )
