# SPDX-License-Identifier: GPL-2.0-or-later
"""Patterns and tables of RFC 3261 section 25, kept linear: every repeat is possessive or a class.

Patterns see unfolded text, so LWS is space and tab alone. Values are read a little more liberally
than the ABNF where devices in the field are, never where two readings could differ.
"""

from __future__ import annotations

import re
from typing import Final

TOKEN: Final = r"[A-Za-z0-9\-.!%*_+`'~]++"
QUOTED: Final = r'"(?:[^"\\]++|\\.)*"'
HOST: Final = r"\[[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,44}+\]|[A-Za-z0-9_][A-Za-z0-9._\-]*+"
# 1 to 65535, the usual four digits first.
PORT: Final = (
    "0{0,5}(?:[1-9][0-9]{0,3}+(?![0-9])|[1-5][0-9]{4}|6(?:[0-4][0-9]{3}|5[0-4][0-9]{2}"
    "|55[0-2][0-9]|553[0-5]))(?![0-9])"
)
# gen-value without quotes: token, host and what devices put into branches and tags. ASCII, since
# tags and branches are keys, and two messages of one dialog may differ in their octets elsewhere.
VALUE: Final = r"[!#-+\--:=?-~]*+"
# Python 3.11.2 (Debian 12) loses its place in possessive groups that hold other groups, so only
# single characters repeat possessively here; what a group starts with tells it from what follows.
# userinfo, hostport, uri-parameters, headers; "@" separates and occurs nowhere else (19.1.1).
_USER: Final = r'[^\x00-\x20\x7f<>"@:]*+'
_PASSWORD: Final = r'[^\x00-\x20\x7f<>"@]*+'
_PARAMETERS: Final = r';[^\x00-\x20\x7f<>"@?]*+'
_HEADERS: Final = r'\?[^\x00-\x20\x7f<>"@]*+'
SIP_URI: Final = (
    rf"(?:({_USER})(?::({_PASSWORD}))?@)?({HOST})(?::({PORT}))?"
    rf"({_PARAMETERS})?({_HEADERS})?"
)
# The same without groups, for checking a URI that nobody reads yet.
PLAIN_URI: Final = (
    rf"(?:{_USER}(?::{_PASSWORD})?@)?(?:{HOST})(?::(?:{PORT}))?"
    rf"(?:{_PARAMETERS})?(?:{_HEADERS})?"
)

token: Final = re.compile(TOKEN).fullmatch
sip_uri: Final = re.compile(rf"([sS][iI][pP][sS]?):{SIP_URI}").fullmatch
plain_sip_uri: Final = re.compile(rf"[sS][iI][pP][sS]?:{PLAIN_URI}").fullmatch
other_uri: Final = re.compile(r'([A-Za-z][A-Za-z0-9+.\-]*+):([^\x00-\x20\x7f<>"]++)').fullmatch

MAX_MESSAGE: Final = 65536
MAX_LINE: Final = 8192
MAX_HEADERS: Final = 256
MAX_VIAS: Final = 64
MAX_CONTACTS: Final = 32
MAX_CSEQ: Final = 2**32 - 1

COMPACT: Final = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

_NAMES: Final = (
    "Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events "
    "Authentication-Info Authorization Call-ID Call-Info Contact Content-Disposition "
    "Content-Encoding Content-Language Content-Length Content-Type CSeq Date Diversion Error-Info "
    "Event Expires From Geolocation History-Info Identity Identity-Info In-Reply-To Join "
    "MIME-Version Max-Forwards Min-Expires Min-SE Organization P-Access-Network-Info "
    "P-Asserted-Identity P-Charging-Vector P-Early-Media P-Preferred-Identity Path Priority "
    "Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck RSeq Reason Record-Route "
    "Refer-To Referred-By Reject-Contact Remote-Party-ID Replaces Reply-To Request-Disposition "
    "Require Retry-After Route Server Service-Route Session-Expires SIP-ETag SIP-If-Match Subject "
    "Subscription-State Supported Timestamp To Unsupported User-Agent Via WWW-Authenticate Warning"
)
_WRITTEN: Final = _NAMES.split()

# Lower-case long name -> name as RFC 3261 writes it.
WRITTEN: Final = {name.lower(): name for name in _WRITTEN}
# Every usual spelling -> lower-case long name; other spellings take the slow way.
SPELLINGS: Final = (
    {name: name.lower() for name in _WRITTEN}
    | {name.lower(): name.lower() for name in _WRITTEN}
    | COMPACT
    | {short.upper(): long for short, long in COMPACT.items()}
    | {"Call-Id": "call-id", "CSEQ": "cseq", "Cseq": "cseq", "Www-Authenticate": "www-authenticate"}
)


def long_name(name: str) -> str:
    """A header name in any spelling as its lower-case long form."""
    bare = name.rstrip(" \t").lower()
    return COMPACT.get(bare, bare)


# Header fields that may stand once (RFC 3261 7.3.1; content-length may repeat with one value).
_SINGLE: Final = (
    "call-id content-type cseq event expires from max-forwards min-expires min-se rack refer-to "
    "replaces rseq session-expires to"
)
SINGLE: Final = frozenset(_SINGLE.split())
# Header fields whose value is a comma-separated list.
_LISTS: Final = (
    "accept accept-contact accept-encoding accept-language alert-info allow allow-events call-info "
    "contact content-encoding content-language diversion error-info history-info in-reply-to "
    "p-asserted-identity p-preferred-identity path proxy-require reason record-route "
    "reject-contact remote-party-id require route service-route supported unsupported via "
    "warning"
)
LISTS: Final = frozenset(_LISTS.split())
_METHODS: Final = (
    "INVITE ACK BYE CANCEL OPTIONS REGISTER INFO UPDATE PRACK MESSAGE NOTIFY SUBSCRIBE REFER "
    "PUBLISH"
)
METHODS: Final = frozenset(_METHODS.split())

REASONS: Final[dict[int, str]] = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    417: "Unknown Resource-Priority",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    424: "Bad Location Information",
    428: "Use Identity Header",
    429: "Provide Referrer Identity",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    436: "Bad Identity Info",
    437: "Unsupported Credential",
    438: "Invalid Identity Header",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    469: "Bad Info Package",
    470: "Consent Needed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}
