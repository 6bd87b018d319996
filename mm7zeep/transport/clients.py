"""A real zeep client with our transport and plugin, and the way to give one call its parts.

``attach`` refuses a client whose transport cannot carry parts.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import requests
import requests.adapters
import zeep
import zeep.proxy
from lxml import etree

from mm7zeep import profiles, schema
from mm7zeep.credentials import Auth, ClientCert, File, endpoint
from mm7zeep.errors import LocalError
from mm7zeep.messages import Part
from mm7zeep.profiles import Profile
from mm7zeep.transport.asynchronous import AsyncSwaTransport
from mm7zeep.transport.bound import TIMEOUTS, Timeouts
from mm7zeep.transport.http_exchange import HttpExchange
from mm7zeep.transport.plugin import ValidationPlugin
from mm7zeep.transport.sync import SwaTransport

Role = Literal["mmsc", "vasp"]
T_Client = TypeVar("T_Client", bound=zeep.Client)
_DEFAULTS = (TIMEOUTS, 1024 * 1024)
_BINDINGS: Mapping[str, str] = {"mmsc": "{urn:mm7zeep:wsdl}MmscBinding", "vasp": "{urn:mm7zeep:wsdl}VaspBinding"}


class _Addressed:
    """The address and the role of what stands there."""

    def __init__(self, address: str, *, role: Role, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address = address
        self.role = role


class Mm7Client(_Addressed, zeep.Client):
    """A real ``zeep.Client`` of one MM7 namespace whose default service is at ``address``."""

    @property
    def service(self) -> Any:
        """The operations of the role, at the client's address."""
        return self.create_service(_BINDINGS[self.role], self.address)  # type: ignore[no-untyped-call]


class AsyncMm7Client(_Addressed, zeep.AsyncClient):
    """``Mm7Client`` on zeep's AsyncClient."""

    @property
    def service(self) -> Any:
        """The operations of the role, at the client's address."""
        # zeep's own create_service makes the synchronous proxy
        return zeep.proxy.AsyncServiceProxy(self, self.wsdl.bindings[_BINDINGS[self.role]], address=self.address)


def zeep_options(profile: Profile, plugin: ValidationPlugin) -> dict[str, Any]:
    """What a zeep client of that profile's namespace is made with, besides its transport."""
    return {
        "wsdl": schema.wsdl(profile.namespace),
        "plugins": [plugin],
        # off by default: forbid_dtd, forbid_external. Not strict: what comes in is judged and mended by the plugin
        "settings": zeep.Settings(strict=False, forbid_dtd=True, forbid_external=True),
    }


def zeep_client(
    url: str,
    *,
    profile: str | Profile | None = None,
    role: Role = "mmsc",
    transport: SwaTransport | None = None,
    plugin: ValidationPlugin | None = None,
    auth: Auth = None,
    timeouts: Timeouts = TIMEOUTS,
    ca_file: File | None = None,
    client_cert: ClientCert = None,
    headers: Mapping[str, str] | None = None,
    proxies: Mapping[str, str] | None = None,
    max_reply: int = 1024 * 1024,
    session: requests.Session | None = None,
    adapter: requests.adapters.BaseAdapter | None = None,
) -> Mm7Client:
    """A ``zeep.Client`` for the MM7 endpoint at ``url``, with our transport and plugin.

    ``role`` is what stands at ``url``: an MMSC (submit, cancel, replace, extendedCancel, extendedReplace) or a VASP
    (deliver, deliveryReport, readReply). The options from ``auth`` on are those of ``SwaTransport``, for a client
    without a ``transport`` of its own. Raises ``LocalError`` for what cannot be used.
    """
    chosen = profiles.profile(profile)
    if role not in _BINDINGS:
        raise LocalError(f"role is what stands at the address, 'mmsc' or 'vasp', not {role!r}")
    made = SwaTransport(
        auth=auth,
        timeouts=timeouts,
        ca_file=ca_file,
        client_cert=client_cert,
        headers=headers,
        proxies=proxies,
        max_reply=max_reply,
        session=session,
        adapter=adapter,
    )
    given = (auth, ca_file, client_cert, headers, proxies, session, adapter)
    if transport is not None and (any(one is not None for one in given) or (timeouts, max_reply) != _DEFAULTS):
        raise LocalError("transport is given, so that no other option has an effect; give them to SwaTransport")
    return Mm7Client(
        endpoint(url),
        role=role,
        transport=transport or made,
        **zeep_options(chosen, plugin or ValidationPlugin(chosen.policy, prefix=chosen.prefix)),
    )


def attach(client: T_Client, parts: Sequence[Part], *, profile: Profile | None = None) -> T_Client:
    """A copy of ``client`` whose next call carries ``parts``; the call's ``Content(href="cid:...")`` names them.

    For a ``zeep.Client`` whose transport is a ``SwaTransport``. Raises ``LocalError`` otherwise.
    """
    if not isinstance(getattr(client, "transport", None), SwaTransport | AsyncSwaTransport):
        raise LocalError("the client's transport is no SwaTransport; make the client with transport=SwaTransport()")
    odd = next((one for one in parts if not isinstance(one, Part)), None)
    if odd is not None:
        raise LocalError(f"parts are mm7zeep.Part values, not {type(odd).__name__}; wrap the content in Part(body=...)")
    return bind(client, HttpExchange(parts=tuple(parts), profile=profile))


def bind(client: T_Client, exchange: HttpExchange) -> T_Client:
    """A copy of ``client`` for one exchange: its own transport and plugins, the same session and schema."""
    clone = copy.copy(client)
    clone._default_service = None
    clone.transport = client.transport.bound(exchange)
    clone.plugins = [one.bound(exchange) if isinstance(one, ValidationPlugin) else one for one in client.plugins]
    return clone


def binding_of(client: Mm7Client | AsyncMm7Client) -> Any:
    """The binding of the role that stands at an ``Mm7Client``'s address."""
    return client.wsdl.bindings[_BINDINGS[client.role]]


def write_envelope(
    client: Mm7Client | AsyncMm7Client, operation: str, arguments: Mapping[str, Any]
) -> tuple[etree._Element, Mapping[str, str]]:
    """The first half of a call: what zeep and the plugins make of the arguments, and the header fields."""
    options = {"address": client.address}
    made: tuple[etree._Element, Mapping[str, str]]
    made = binding_of(client)._create(operation, (), dict(arguments), client=client, options=options)
    return made


def read_answer(client: Mm7Client | AsyncMm7Client, operation: str, response: requests.Response) -> Any:
    """The second half of a call: what zeep and the plugins make of the answer. Raises as the call does."""
    binding = binding_of(client)
    return binding.process_reply(client, binding.get(operation), response)
