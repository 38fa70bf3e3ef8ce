# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway's fields as text, both ways, and what must hold together among gateways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

import msgspec

from vosd.control.handler import Refusal, bad_value
from vosd.engine.admission import REALM
from vosd.sip.auth import ha1
from vosd.switch.tables import Auth, Gateway, GatewayAddress, Outward
from vosd.wire.requests import GATEWAY_KEYS, FieldChange
from vosd.wire.values import (
    MOST_CALLS,
    MOST_PRIORITY,
    parse_address,
    parse_host,
    parse_name,
    show_address,
)

if TYPE_CHECKING:
    from vosd.engine.configuration import Configuration


AUTHS = ("ip", "ip_port", "password")
#: more would be a typing error
MOST_PREFIXES = 10_000
SHORTEST_PASSWORD = 8
_SWITCH = {"on": True, "off": False, "yes": True, "no": False}


def find_gateway(configuration: Configuration, name: str) -> Gateway:
    """The gateway of that name. Raises Refusal with the nearest names."""
    gateway = configuration.gateways.get(name)
    if gateway is None:
        near = ", ".join(get_close_matches(name, configuration.gateways, n=3))
        raise Refusal("not_found", f"cannot find gateway {name!r}: none has that name",
                      value=name, accepts=near or "what vosctl gateway list shows")  # fmt: skip
    return gateway


def addresses(gateway: Gateway) -> list[str]:
    return [show_address(at.host, at.port, at.transport) for at in gateway.addresses]


def registrar(gateway: Gateway) -> str:
    at = gateway.outward.registrar
    return show_address(at.host, at.port, at.transport) if at is not None else ""


#: how each key of `gateway set` and the audit shows; never a secret
_SHOW: Mapping[str, Callable[[Gateway], str]] = {
    "kind": lambda gateway: gateway.kind,
    "address": lambda gateway: ",".join(addresses(gateway)),
    "auth": lambda gateway: gateway.auth,
    "user": lambda gateway: gateway.user,
    "password": lambda gateway: "set" if gateway.password or gateway.ha1_md5 else "",
    "prefix": lambda gateway: ",".join(gateway.prefixes),
    "priority": lambda gateway: str(gateway.priority),
    "capacity": lambda gateway: str(gateway.capacity),
    "account": lambda gateway: gateway.account,
    "register": lambda gateway: "on" if gateway.outward.active else "",
    "registrar": lambda gateway: registrar(gateway),
    "domain": lambda gateway: gateway.outward.domain,
    "enabled": lambda gateway: "on" if gateway.enabled else "off",
}


def changes_of(old: Gateway | None, new: Gateway) -> list[FieldChange]:
    before = {key: show(old) if old else "" for key, show in _SHOW.items()}
    changes = [
        FieldChange(name=key, old=before[key], new=show(new))
        for key, show in _SHOW.items()
        if before[key] != show(new)
    ]
    if (
        old
        and (old.password, old.ha1_md5) != (new.password, new.ha1_md5)
        and not any(change.name == "password" for change in changes)
    ):
        changes.append(FieldChange(name="password", old="set", new="set anew"))
    return changes


def summary(gateway: Gateway, changes: list[FieldChange] | None = None) -> str:
    """KEY=VALUE words for the audit."""
    keys = [change.name for change in changes] if changes is not None else list(_SHOW)
    shown = {key: _SHOW[key](gateway) for key in keys}
    return " ".join(f"{key}={value}" for key, value in shown.items() if value)


def changed(gateway: Gateway, values: Mapping[str, str]) -> Gateway:
    """The gateway with fields set from text, all or none. Raises Refusal."""
    fields: dict[str, Any] = {}
    for key, text in values.items():
        parse = _PARSE.get(key)
        if parse is None:
            raise _unknown(gateway.name, key)
        try:
            name, value = parse(text.strip())
        except ValueError as error:
            raise bad_value(error, text) from None
        fields[name] = value
    outward = {name: fields.pop(name) for name in Outward.__struct_fields__ if name in fields}
    if outward:
        fields["outward"] = msgspec.structs.replace(gateway.outward, **outward)
    return msgspec.structs.replace(gateway, **fields)


def _unknown(name: str, key: str) -> Refusal:
    accepts = " ".join(GATEWAY_KEYS)
    if key.upper().startswith(("SS_", "SERVER_")):
        return Refusal(
            "bad_value",
            f"cannot set {key} here: a gateway's own value of a parameter is set with "
            f"vosctl param set {key}=VALUE --gateway {name}",
            value=key,
            accepts=accepts,
        )
    hint = {
        "password": ": passwords come by --password-file only",
        "enabled": f": vosctl gateway enable {name} and disable do that",
        "kind": ": remove the gateway and add it anew",
        "name": ": remove the gateway and add it anew",
    }.get(key, f": a gateway has {accepts}")
    return Refusal("bad_value", f"cannot set {key!r}{hint}", value=key, accepts=accepts)


def _parse_addresses(text: str) -> tuple[str, object]:
    parsed = [parse_address(word) for word in _words(text)]
    if len(set(parsed)) != len(parsed):
        raise ValueError(f"cannot use {text!r}: one address stands twice")
    return "addresses", tuple(GatewayAddress(*at) for at in parsed)


def _parse_auth(text: str) -> tuple[str, object]:
    if text not in AUTHS:
        raise ValueError(f"cannot use auth {text!r}: {', '.join(AUTHS)} are accepted")
    return "auth", cast("Auth", text)


def _parse_prefixes(text: str) -> tuple[str, object]:
    prefixes = dict.fromkeys(word.removeprefix("+") for word in _words(text))
    for prefix in prefixes:
        if not (prefix.isascii() and prefix.isdigit()) or len(prefix) > 32:
            raise ValueError(f"cannot use {prefix!r} as a prefix: 1 to 32 digits are accepted")
    if len(prefixes) > MOST_PREFIXES:
        raise ValueError(f"cannot use {len(prefixes)} prefixes: at most {MOST_PREFIXES}")
    return "prefixes", tuple(prefixes) or ("",)


def _whole(name: str, most: int) -> Callable[[str], tuple[str, object]]:
    def parse(text: str) -> tuple[str, object]:
        if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > most:
            raise ValueError(f"cannot use {name} {text!r}: 0 to {most} is accepted")
        return name, int(text)

    return parse


def _parse_user(text: str) -> tuple[str, object]:
    return "user", parse_name(text) if text else ""


def _parse_account(text: str) -> tuple[str, object]:
    return "account", parse_name(text) if text else ""


def _parse_register(text: str) -> tuple[str, object]:
    if text not in _SWITCH:
        raise ValueError(f"cannot use register {text!r}: {' or '.join(_SWITCH)} is accepted")
    return "active", _SWITCH[text]


def _parse_registrar(text: str) -> tuple[str, object]:
    return "registrar", GatewayAddress(*parse_address(text)) if text else None


def _parse_domain(text: str) -> tuple[str, object]:
    return "domain", parse_host(text) if text else ""


_PARSE: Mapping[str, Callable[[str], tuple[str, object]]] = {
    "address": _parse_addresses,
    "auth": _parse_auth,
    "user": _parse_user,
    "prefix": _parse_prefixes,
    "priority": _whole("priority", MOST_PRIORITY),
    "capacity": _whole("capacity", MOST_CALLS),
    "account": _parse_account,
    "register": _parse_register,
    "registrar": _parse_registrar,
    "domain": _parse_domain,
}


def _words(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").split() if word]


# what must hold together


def digest_user(gateway: Gateway) -> str:
    """The digest user a mapping gateway proves itself as."""
    return gateway.user or gateway.name


def with_password(gateway: Gateway, password: str | None) -> Gateway:
    """HA1 for what a customer proves to us, the password for what we prove to a vendor."""
    if password is None:
        return gateway
    if gateway.kind == "routing" and password:
        return msgspec.structs.replace(gateway, password=password)
    if len(password) < SHORTEST_PASSWORD:
        raise Refusal(
            "bad_value", f"cannot use a password of {len(password)} characters: at least "
            f"{SHORTEST_PASSWORD}, log-ins are guessed at all day", value="password",
        )  # fmt: skip
    digests = [ha1(digest_user(gateway), REALM, password, name) for name in ("MD5", "SHA-256")]
    return msgspec.structs.replace(gateway, ha1_md5=digests[0], ha1_sha256=digests[1])


def check_together(gateway: Gateway, configuration: Configuration) -> None:
    """Raises Refusal when the gateway could not be reached, known or told from another."""
    _check_addresses(gateway)
    if gateway.kind == "routing":
        _check_routing(gateway)
    else:
        _check_mapping(gateway, configuration)


def _check_addresses(gateway: Gateway) -> None:
    if not gateway.addresses and (gateway.kind == "routing" or gateway.auth != "password"):
        raise Refusal("bad_value", f"cannot do without an address for {gateway.name}: only a "
                      "mapping gateway with auth password may have none", value="address",
                      accepts="HOST[:PORT]")  # fmt: skip


def _check_routing(gateway: Gateway) -> None:
    """A vendor is reached by address; what else it has answers the vendor's challenges."""
    if gateway.password and not gateway.user:
        raise Refusal("bad_value", f"cannot use a password for {gateway.name} without a user: "
                      "add --user, or user=U", value="user")  # fmt: skip
    if gateway.auth == "password" and not gateway.password:
        raise Refusal("bad_value", f"cannot use auth password for {gateway.name}: no password is "
                      "set; add --user and --password-file", value="password")  # fmt: skip
    if gateway.outward.active and not gateway.password:
        raise Refusal("bad_value", f"cannot register with {gateway.name}: no user and password "
                      "are set; add --user and --password-file", value="register")  # fmt: skip


def _check_mapping(gateway: Gateway, configuration: Configuration) -> None:
    if gateway.prefixes != ("",):
        raise Refusal("bad_value", f"cannot give mapping gateway {gateway.name} a prefix: "
                      "prefixes choose among routing gateways",
                      value=_SHOW["prefix"](gateway))  # fmt: skip
    if gateway.auth == "password" and not gateway.ha1_md5:
        raise Refusal("bad_value", f"cannot use auth password for {gateway.name}: no password is "
                      f"set for user {digest_user(gateway)}; add --password-file FILE",
                      value="password")  # fmt: skip
    if gateway.outward.active:
        raise Refusal("bad_value", f"cannot register with mapping gateway {gateway.name}: we "
                      "register with routing gateways", value="register")  # fmt: skip
    other = _collision(gateway, configuration)
    if other is not None:
        raise Refusal("conflict", f"cannot tell {gateway.name} from {other}", value=gateway.name,
                      accepts="another address, --auth ip_port with another port, or "
                      "--auth password with another --user")  # fmt: skip


def _collision(gateway: Gateway, configuration: Configuration) -> str | None:
    """What else the same caller would be taken for, in words."""
    if gateway.auth == "password":
        user = digest_user(gateway)
        if user in configuration.phones:
            return f"phone {user}: both prove themselves as user {user}"
    for other in configuration.gateways.values():
        if other.kind != "mapping" or other.name == gateway.name or other.auth != gateway.auth:
            continue
        shared = _marks(gateway) & _marks(other)
        if shared:
            return f"gateway {other.name}: both are known by {min(shared)}"
    return None


def _marks(gateway: Gateway) -> set[str]:
    """What tells a mapping gateway from others, in words."""
    if gateway.auth == "password":
        return {f"user {digest_user(gateway)}"}
    if gateway.auth == "ip":
        return {f"address {at.host}" for at in gateway.addresses}
    return {f"address {show_address(at.host, at.port)}" for at in gateway.addresses}
