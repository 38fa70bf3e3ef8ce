# SPDX-License-Identifier: GPL-2.0-or-later
"""The control verbs: one row gives path, access, what is asked and what is answered.

Server dispatch, access checks, the client, the OpenAPI document and the tests all read this
table. A new verb is a row here, a handler under `vosd.control.handlers` and a command.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from vosd.wire import diagnosis, params, records, requests, traces

Access: TypeAlias = Literal["read", "write"]
Method: TypeAlias = Literal["GET", "POST", "PATCH", "DELETE"]


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the daemon does on request."""

    #: area and what is done, for instance "gateway.add"
    name: str
    method: Method
    #: `{name}` marks a path segment the handler gets by that name
    path: str
    #: what the peer must hold; a writer may also read
    access: Access
    summary: str
    #: body struct; None: a body is refused
    request: type[msgspec.Struct] | None = None
    #: struct of what may stand after "?"; None: a query is refused
    query: type[msgspec.Struct] | None = None
    #: reply struct; of a stream, the struct of each line
    reply: type[msgspec.Struct]
    #: answered as NDJSON, one reply a line, until the client leaves or the handler ends
    stream: bool = False


STATUS = (
    Verb(
        name="status",
        method="GET",
        path="/v1/status",
        access="read",
        reply=records.Status,
        summary="How the node is: calls, gateways, relay, queue, alarms.",
    ),
)

PARAMETERS = (
    Verb(
        name="param.list",
        method="GET",
        path="/v1/params",
        access="read",
        query=params.ParamQuery,
        reply=records.ParamList,
        summary="Parameters with value, default, range and when a change takes effect.",
    ),
    Verb(
        name="param.set",
        method="PATCH",
        path="/v1/params",
        access="write",
        request=records.ParamSet,
        reply=records.ParamChanged,
        summary="Set or reset parameters, for all or for one gateway, all or none.",
    ),
    Verb(
        name="param.history",
        method="GET",
        path="/v1/params/history",
        access="read",
        query=params.HistoryQuery,
        reply=records.AuditList,
        summary="Who changed which parameter, when, from what to what, and why; newest first.",
    ),
    Verb(
        name="param.lint",
        method="GET",
        path="/v1/params/lint",
        access="read",
        reply=params.LintReport,
        summary="The known mistakes in this configuration.",
    ),
    Verb(
        name="param.show",
        method="GET",
        path="/v1/params/{name}",
        access="read",
        reply=params.ParamDetail,
        summary="One parameter.",
    ),
    Verb(
        name="param.preset.list",
        method="GET",
        path="/v1/presets",
        access="read",
        reply=params.PresetList,
        summary="Sets of values that belong together.",
    ),
    Verb(
        name="param.preset.show",
        method="GET",
        path="/v1/presets/{name}",
        access="read",
        reply=params.PresetDetail,
        summary="One preset beside the values in force.",
    ),
    Verb(
        name="param.preset.apply",
        method="POST",
        path="/v1/presets/{name}/apply",
        access="write",
        request=params.PresetApply,
        reply=records.ParamChanged,
        summary="Set every value of a preset, all or none.",
    ),
)

GATEWAYS = (
    Verb(
        name="gateway.list",
        method="GET",
        path="/v1/gateways",
        access="read",
        reply=records.GatewayList,
        summary="Every gateway with its live calls and health.",
    ),
    Verb(
        name="gateway.add",
        method="POST",
        path="/v1/gateways",
        access="write",
        request=requests.GatewayAdd,
        reply=requests.GatewayChanged,
        summary="Add a mapping gateway (customer) or a routing gateway (vendor).",
    ),
    Verb(
        name="gateway.show",
        method="GET",
        path="/v1/gateways/{name}",
        access="read",
        reply=requests.GatewayDetail,
        summary="One gateway.",
    ),
    Verb(
        name="gateway.set",
        method="PATCH",
        path="/v1/gateways/{name}",
        access="write",
        request=requests.GatewaySet,
        reply=requests.GatewayChanged,
        summary="Change fields of a gateway, all or none.",
    ),
    Verb(
        name="gateway.enable",
        method="POST",
        path="/v1/gateways/{name}/enable",
        access="write",
        request=requests.Change,
        reply=requests.GatewayChanged,
        summary="Let a gateway take part in calls again.",
    ),
    Verb(
        name="gateway.disable",
        method="POST",
        path="/v1/gateways/{name}/disable",
        access="write",
        request=requests.Change,
        reply=requests.GatewayChanged,
        summary="Take a gateway out of new calls; its live calls go on.",
    ),
    Verb(
        name="gateway.remove",
        method="DELETE",
        path="/v1/gateways/{name}",
        access="write",
        request=requests.Change,
        reply=requests.GatewayChanged,
        summary="Forget a gateway; its live calls go on, its records stay.",
    ),
    Verb(
        name="gateway.probe",
        method="POST",
        path="/v1/gateways/{name}/probe",
        access="write",
        reply=requests.GatewayProbe,
        summary="Send the gateway one OPTIONS and wait for its answer.",
    ),
)

PHONES = (
    Verb(
        name="phone.list",
        method="GET",
        path="/v1/phones",
        access="read",
        reply=records.PhoneList,
        summary="Every phone with its registration.",
    ),
    Verb(
        name="phone.add",
        method="POST",
        path="/v1/phones",
        access="write",
        request=requests.PhoneAdd,
        reply=requests.PhoneChanged,
        summary="Add a phone that may register.",
    ),
    Verb(
        name="phone.show",
        method="GET",
        path="/v1/phones/{number}",
        access="read",
        reply=requests.PhoneDetail,
        summary="One phone.",
    ),
    Verb(
        name="phone.set",
        method="PATCH",
        path="/v1/phones/{number}",
        access="write",
        request=requests.PhoneSet,
        reply=requests.PhoneChanged,
        summary="Change fields of a phone, all or none.",
    ),
    Verb(
        name="phone.remove",
        method="DELETE",
        path="/v1/phones/{number}",
        access="write",
        request=requests.Change,
        reply=requests.PhoneChanged,
        summary="Forget a phone and its registration.",
    ),
)

BLACKLIST = (
    Verb(
        name="blacklist.list",
        method="GET",
        path="/v1/blacklist",
        access="read",
        reply=records.BlacklistList,
        summary="The system black list.",
    ),
    Verb(
        name="blacklist.add",
        method="POST",
        path="/v1/blacklist",
        access="write",
        request=requests.BlacklistAdd,
        reply=requests.BlacklistChanged,
        summary="Block numbers or prefixes on every path in.",
    ),
    Verb(
        name="blacklist.remove",
        method="DELETE",
        path="/v1/blacklist",
        access="write",
        request=requests.BlacklistRemove,
        reply=requests.BlacklistChanged,
        summary="Take numbers or prefixes off the list.",
    ),
    Verb(
        name="blacklist.check",
        method="GET",
        path="/v1/blacklist/check",
        access="read",
        query=requests.BlacklistCheckQuery,
        reply=records.BlacklistCheck,
        summary="Would a call from or to this number pass, and which row decides.",
    ),
)

CALLS = (
    Verb(
        name="call.list",
        method="GET",
        path="/v1/calls",
        access="read",
        query=requests.CallQuery,
        reply=records.CallList,
        summary="The live calls.",
    ),
    Verb(
        name="call.watch",
        method="GET",
        path="/v1/calls/watch",
        access="read",
        query=requests.CallQuery,
        reply=records.CallList,
        stream=True,
        summary="The live calls, once a second.",
    ),
    Verb(
        name="call.hangup",
        method="POST",
        path="/v1/calls/hangup",
        access="write",
        request=requests.CallHangup,
        reply=requests.CallsHungUp,
        summary="End calls; all are found before the first is ended.",
    ),
    Verb(
        name="call.show",
        method="GET",
        path="/v1/calls/{id}",
        access="read",
        reply=requests.CallDetail,
        summary="One live call: both legs, all four streams.",
    ),
)

CDRS = (
    Verb(
        name="cdr.list",
        method="GET",
        path="/v1/cdrs",
        access="read",
        query=requests.CdrQuery,
        reply=records.CdrList,
        summary="Call records, newest first.",
    ),
    Verb(
        name="cdr.export",
        method="GET",
        path="/v1/cdrs/export",
        access="read",
        query=requests.CdrQuery,
        reply=records.Cdr,
        stream=True,
        summary="Call records, oldest first, one a line; limit 0 is all of them.",
    ),
    Verb(
        name="cdr.show",
        method="GET",
        path="/v1/cdrs/{id}",
        access="read",
        reply=records.CdrDetail,
        summary="One call record with its evidence.",
    ),
)

DIAGNOSIS = (
    Verb(
        name="diagnose.call",
        method="GET",
        path="/v1/diagnose/call",
        access="read",
        query=requests.DiagnoseQuery,
        reply=diagnosis.Diagnosis,
        summary="What is wrong with a live or finished call, and the one change to make.",
    ),
    Verb(
        name="diagnose.gateway",
        method="GET",
        path="/v1/diagnose/gateway/{name}",
        access="read",
        reply=diagnosis.Diagnosis,
        summary="What the calls of a gateway have in common.",
    ),
    Verb(
        name="diagnose.recent",
        method="GET",
        path="/v1/diagnose/recent",
        access="read",
        query=diagnosis.RecentQuery,
        reply=diagnosis.RecentCalls,
        summary="The bad ones among the live and latest calls, worst first.",
    ),
    Verb(
        name="diagnose.session",
        method="GET",
        path="/v1/diagnose/session",
        access="read",
        query=diagnosis.SessionQuery,
        reply=diagnosis.Diagnosis,
        summary="Why a live or finished call dropped or will, and what keeps its session.",
    ),
    Verb(
        name="diagnose.sessions",
        method="GET",
        path="/v1/diagnose/sessions",
        access="read",
        query=diagnosis.RecentQuery,
        reply=diagnosis.RecentCalls,
        summary="Live and latest calls whose session failed or fails, worst first.",
    ),
)

TRACES = (
    Verb(
        name="trace.list",
        method="GET",
        path="/v1/traces",
        access="read",
        reply=traces.TraceList,
        summary="Traces of the signalling, running and ended; none outlives the daemon.",
    ),
    Verb(
        name="trace.start",
        method="POST",
        path="/v1/traces",
        access="write",
        request=traces.TraceStart,
        reply=traces.TraceDetail,
        summary="Keep the SIP messages of matching calls for a while, in memory.",
    ),
    Verb(
        name="trace.stop",
        method="POST",
        path="/v1/traces/stop",
        access="write",
        request=traces.TraceStop,
        reply=traces.TracesStopped,
        summary="End a trace before its time; its messages can still be read.",
    ),
    Verb(
        name="trace.show",
        method="GET",
        path="/v1/traces/{id}",
        access="read",
        reply=traces.TraceDetail,
        summary="One trace.",
    ),
    Verb(
        name="trace.messages",
        method="GET",
        path="/v1/traces/{id}/messages",
        # whoever reads digest responses can guess passwords from them at leisure
        access="write",
        reply=traces.TraceMessage,
        stream=True,
        summary="Its messages as they crossed the wire, digest responses included, oldest first.",
    ),
)

#: in this order in documents; a literal path stands before a template that would match it
VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        *STATUS, *PARAMETERS, *GATEWAYS, *PHONES, *BLACKLIST, *CALLS, *CDRS, *DIAGNOSIS,
        *TRACES,
    )
}  # fmt: skip
