# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vosctl; made by python -m vosctl.emit, do not edit

_vosctl_commands() {
    case $1 in
        '') echo 'status param gateway phone blacklist call cdr diagnose trace' ;;
        'param') echo 'list show set reset diff history lint preset' ;;
        'param preset') echo 'list show apply' ;;
        'gateway') echo 'add list show set enable disable remove probe' ;;
        'phone') echo 'add list show set remove' ;;
        'blacklist') echo 'add remove list check' ;;
        'call') echo 'list show hangup' ;;
        'cdr') echo 'list show export' ;;
        'diagnose') echo 'call gateway session recent' ;;
        'trace') echo 'start stop list show export' ;;
    esac
}

_vosctl_options() {
    case $1 in
        '') echo '--socket --json --color --timeout --version --help' ;;
        'status') echo '--socket --json --color --timeout --help' ;;
        'param') echo '--socket --json --color --timeout --help' ;;
        'param list') echo '--group --changed --socket --json --color --timeout --help' ;;
        'param show') echo '--socket --json --color --timeout --help' ;;
        'param set') echo '--gateway --why --dry-run --socket --json --color --timeout --help' ;;
        'param reset') echo '--gateway --why --dry-run --socket --json --color --timeout --help' ;;
        'param diff') echo '--gateway --socket --json --color --timeout --help' ;;
        'param history') echo '--limit --socket --json --color --timeout --help' ;;
        'param lint') echo '--socket --json --color --timeout --help' ;;
        'param preset') echo '--socket --json --color --timeout --help' ;;
        'param preset list') echo '--socket --json --color --timeout --help' ;;
        'param preset show') echo '--socket --json --color --timeout --help' ;;
        'param preset apply') echo '--gateway --why --dry-run --socket --json --color --timeout --help' ;;
        'gateway') echo '--socket --json --color --timeout --help' ;;
        'gateway add') echo '--kind --address --auth --user --password-file --generate-password --prefix --priority --capacity --account --register --registrar --domain --why --dry-run --socket --json --color --timeout --help' ;;
        'gateway list') echo '--socket --json --color --timeout --help' ;;
        'gateway show') echo '--socket --json --color --timeout --help' ;;
        'gateway set') echo '--password-file --generate-password --why --dry-run --socket --json --color --timeout --help' ;;
        'gateway enable') echo '--why --dry-run --socket --json --color --timeout --help' ;;
        'gateway disable') echo '--why --dry-run --yes --socket --json --color --timeout --help' ;;
        'gateway remove') echo '--why --dry-run --yes --socket --json --color --timeout --help' ;;
        'gateway probe') echo '--socket --json --color --timeout --help' ;;
        'phone') echo '--socket --json --color --timeout --help' ;;
        'phone add') echo '--password-file --generate-password --account --display --why --dry-run --socket --json --color --timeout --help' ;;
        'phone list') echo '--socket --json --color --timeout --help' ;;
        'phone show') echo '--socket --json --color --timeout --help' ;;
        'phone set') echo '--password-file --generate-password --why --dry-run --socket --json --color --timeout --help' ;;
        'phone remove') echo '--why --dry-run --yes --socket --json --color --timeout --help' ;;
        'blacklist') echo '--socket --json --color --timeout --help' ;;
        'blacklist add') echo '--prefix --side --expires --why --dry-run --socket --json --color --timeout --help' ;;
        'blacklist remove') echo '--why --dry-run --socket --json --color --timeout --help' ;;
        'blacklist list') echo '--socket --json --color --timeout --help' ;;
        'blacklist check') echo '--gateway --socket --json --color --timeout --help' ;;
        'call') echo '--socket --json --color --timeout --help' ;;
        'call list') echo '--watch --gateway --socket --json --color --timeout --help' ;;
        'call show') echo '--socket --json --color --timeout --help' ;;
        'call hangup') echo '--why --dry-run --yes --socket --json --color --timeout --help' ;;
        'cdr') echo '--socket --json --color --timeout --help' ;;
        'cdr list') echo '--since --until --caller --callee --gateway --reason --limit --socket --json --color --timeout --help' ;;
        'cdr show') echo '--socket --json --color --timeout --help' ;;
        'cdr export') echo '--format --since --until --caller --callee --gateway --reason --limit --output --spreadsheet --socket --json --color --timeout --help' ;;
        'diagnose') echo '--socket --json --color --timeout --help' ;;
        'diagnose call') echo '--last --worst --html --socket --json --color --timeout --help' ;;
        'diagnose gateway') echo '--html --socket --json --color --timeout --help' ;;
        'diagnose session') echo '--since --html --socket --json --color --timeout --help' ;;
        'diagnose recent') echo '--since --html --socket --json --color --timeout --help' ;;
        'trace') echo '--socket --json --color --timeout --help' ;;
        'trace start') echo '--caller --callee --gateway --call --for --why --dry-run --socket --json --color --timeout --help' ;;
        'trace stop') echo '--why --dry-run --socket --json --color --timeout --help' ;;
        'trace list') echo '--socket --json --color --timeout --help' ;;
        'trace show') echo '--socket --json --color --timeout --help' ;;
        'trace export') echo '--format --socket --json --color --timeout --help' ;;
    esac
}

_vosctl_slot() {
    case $1 in
        '--socket') echo 'files' ;;
        '--color') echo 'words auto always never' ;;
        'param list --group') echo 'words timeouts session nat transport overload routing media jitter audio qos registration authentication records accounts trace metrics system' ;;
        'param show 1') echo 'words SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_RESEND_INTERVAL SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP SS_SIP_NO_TIMER_REINVITE_INTERVAL SS_SIP_NO_TIMER_PROBE_INTERVAL SS_SIP_SESSION_MIN_SE SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_ENDPOINT_CONTACTS SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY SS_SIP_TCP_CONNECT_TIMEOUT SS_SIP_TCP_IDLE SS_SIP_TCP_PER_SOURCE SS_SIP_TCP_CONNECTIONS SS_SIP_LARGE_REQUESTS SS_SIP_TLS_VERIFY SS_SIP_TLS_CLIENTS SS_OVERLOAD_INVITE_AGE SS_OVERLOAD_STRANGERS SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START SS_SIP_100REL_ACCEPT SS_SIP_100REL_OFFER SS_SIP_REFER SS_MAX_CPS SS_GATEWAY_ASR_CALCULATE SS_MEDIAPROXYMODE SS_MEDIAPROXYPORT_START SS_MEDIAPROXYPORT_END SS_RTP_TIMEOUT SS_MEDIA_NAT_LEARN SS_JITTERBUFFER_MODE SS_JITTERBUFFER_MIN SS_JITTERBUFFER_MAX SS_JITTERBUFFER_DEFAULT SS_ECHOCANCEL SS_ECHOCANCELTAIL SS_VOICEGAIN SS_COMFORTNOISE SS_QOS_SIGNAL SS_QOS_RTP SS_AUTHCHALLENGEMODE SS_DIGEST_ALGORITHMS SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND SERVER_BILLING_RECORD_ILLEGAL_CALL SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_VERIFY_CLEARING_CUSTOMER SS_TRACE_TIME SS_TRACE_MEMORY SS_TRACE_MEMORY_TOTAL SS_HEP_ADDRESS SS_HEP_CAPTURE_ID SS_HEP_MESSAGES SS_METRICS_ADDRESS SERVER_DRAIN_TIMEOUT' ;;
        'param set --gateway') echo 'live gateway' ;;
        'param set *') echo 'assign SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_RESEND_INTERVAL SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP SS_SIP_NO_TIMER_REINVITE_INTERVAL SS_SIP_NO_TIMER_PROBE_INTERVAL SS_SIP_SESSION_MIN_SE SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_ENDPOINT_CONTACTS SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY SS_SIP_TCP_CONNECT_TIMEOUT SS_SIP_TCP_IDLE SS_SIP_TCP_PER_SOURCE SS_SIP_TCP_CONNECTIONS SS_SIP_LARGE_REQUESTS SS_SIP_TLS_VERIFY SS_SIP_TLS_CLIENTS SS_OVERLOAD_INVITE_AGE SS_OVERLOAD_STRANGERS SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START SS_SIP_100REL_ACCEPT SS_SIP_100REL_OFFER SS_SIP_REFER SS_MAX_CPS SS_GATEWAY_ASR_CALCULATE SS_MEDIAPROXYMODE SS_MEDIAPROXYPORT_START SS_MEDIAPROXYPORT_END SS_RTP_TIMEOUT SS_MEDIA_NAT_LEARN SS_JITTERBUFFER_MODE SS_JITTERBUFFER_MIN SS_JITTERBUFFER_MAX SS_JITTERBUFFER_DEFAULT SS_ECHOCANCEL SS_ECHOCANCELTAIL SS_VOICEGAIN SS_COMFORTNOISE SS_QOS_SIGNAL SS_QOS_RTP SS_AUTHCHALLENGEMODE SS_DIGEST_ALGORITHMS SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND SERVER_BILLING_RECORD_ILLEGAL_CALL SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_VERIFY_CLEARING_CUSTOMER SS_TRACE_TIME SS_TRACE_MEMORY SS_TRACE_MEMORY_TOTAL SS_HEP_ADDRESS SS_HEP_CAPTURE_ID SS_HEP_MESSAGES SS_METRICS_ADDRESS SERVER_DRAIN_TIMEOUT' ;;
        'param reset --gateway') echo 'live gateway' ;;
        'param reset *') echo 'words SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_RESEND_INTERVAL SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP SS_SIP_NO_TIMER_REINVITE_INTERVAL SS_SIP_NO_TIMER_PROBE_INTERVAL SS_SIP_SESSION_MIN_SE SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_ENDPOINT_CONTACTS SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY SS_SIP_TCP_CONNECT_TIMEOUT SS_SIP_TCP_IDLE SS_SIP_TCP_PER_SOURCE SS_SIP_TCP_CONNECTIONS SS_SIP_LARGE_REQUESTS SS_SIP_TLS_VERIFY SS_SIP_TLS_CLIENTS SS_OVERLOAD_INVITE_AGE SS_OVERLOAD_STRANGERS SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START SS_SIP_100REL_ACCEPT SS_SIP_100REL_OFFER SS_SIP_REFER SS_MAX_CPS SS_GATEWAY_ASR_CALCULATE SS_MEDIAPROXYMODE SS_MEDIAPROXYPORT_START SS_MEDIAPROXYPORT_END SS_RTP_TIMEOUT SS_MEDIA_NAT_LEARN SS_JITTERBUFFER_MODE SS_JITTERBUFFER_MIN SS_JITTERBUFFER_MAX SS_JITTERBUFFER_DEFAULT SS_ECHOCANCEL SS_ECHOCANCELTAIL SS_VOICEGAIN SS_COMFORTNOISE SS_QOS_SIGNAL SS_QOS_RTP SS_AUTHCHALLENGEMODE SS_DIGEST_ALGORITHMS SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND SERVER_BILLING_RECORD_ILLEGAL_CALL SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_VERIFY_CLEARING_CUSTOMER SS_TRACE_TIME SS_TRACE_MEMORY SS_TRACE_MEMORY_TOTAL SS_HEP_ADDRESS SS_HEP_CAPTURE_ID SS_HEP_MESSAGES SS_METRICS_ADDRESS SERVER_DRAIN_TIMEOUT' ;;
        'param diff --gateway') echo 'live gateway' ;;
        'param history 1') echo 'words SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_RESEND_INTERVAL SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP SS_SIP_NO_TIMER_REINVITE_INTERVAL SS_SIP_NO_TIMER_PROBE_INTERVAL SS_SIP_SESSION_MIN_SE SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_ENDPOINT_CONTACTS SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY SS_SIP_TCP_CONNECT_TIMEOUT SS_SIP_TCP_IDLE SS_SIP_TCP_PER_SOURCE SS_SIP_TCP_CONNECTIONS SS_SIP_LARGE_REQUESTS SS_SIP_TLS_VERIFY SS_SIP_TLS_CLIENTS SS_OVERLOAD_INVITE_AGE SS_OVERLOAD_STRANGERS SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START SS_SIP_100REL_ACCEPT SS_SIP_100REL_OFFER SS_SIP_REFER SS_MAX_CPS SS_GATEWAY_ASR_CALCULATE SS_MEDIAPROXYMODE SS_MEDIAPROXYPORT_START SS_MEDIAPROXYPORT_END SS_RTP_TIMEOUT SS_MEDIA_NAT_LEARN SS_JITTERBUFFER_MODE SS_JITTERBUFFER_MIN SS_JITTERBUFFER_MAX SS_JITTERBUFFER_DEFAULT SS_ECHOCANCEL SS_ECHOCANCELTAIL SS_VOICEGAIN SS_COMFORTNOISE SS_QOS_SIGNAL SS_QOS_RTP SS_AUTHCHALLENGEMODE SS_DIGEST_ALGORITHMS SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND SERVER_BILLING_RECORD_ILLEGAL_CALL SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_VERIFY_CLEARING_CUSTOMER SS_TRACE_TIME SS_TRACE_MEMORY SS_TRACE_MEMORY_TOTAL SS_HEP_ADDRESS SS_HEP_CAPTURE_ID SS_HEP_MESSAGES SS_METRICS_ADDRESS SERVER_DRAIN_TIMEOUT' ;;
        'param preset show 1') echo 'words lan wan internet satellite wholesale call-center mobile enterprise high-security recommended rfc4594 cs3 as-seed' ;;
        'param preset apply --gateway') echo 'live gateway' ;;
        'param preset apply 1') echo 'words lan wan internet satellite wholesale call-center mobile enterprise high-security recommended rfc4594 cs3 as-seed' ;;
        'gateway add --kind') echo 'words mapping routing' ;;
        'gateway add --auth') echo 'words ip ip_port password' ;;
        'gateway add --password-file') echo 'files' ;;
        'gateway show 1') echo 'live gateway' ;;
        'gateway set --password-file') echo 'files' ;;
        'gateway set 1') echo 'live gateway' ;;
        'gateway set *') echo 'assign address auth user prefix priority capacity account register registrar domain' ;;
        'gateway enable 1') echo 'live gateway' ;;
        'gateway disable 1') echo 'live gateway' ;;
        'gateway remove 1') echo 'live gateway' ;;
        'gateway probe 1') echo 'live gateway' ;;
        'phone add --password-file') echo 'files' ;;
        'phone show 1') echo 'live phone' ;;
        'phone set --password-file') echo 'files' ;;
        'phone set 1') echo 'live phone' ;;
        'phone set *') echo 'assign account display enabled' ;;
        'phone remove 1') echo 'live phone' ;;
        'blacklist add --side') echo 'words caller callee both' ;;
        'blacklist check --gateway') echo 'live gateway' ;;
        'call list --gateway') echo 'live gateway' ;;
        'call show 1') echo 'live call' ;;
        'call hangup *') echo 'live call' ;;
        'cdr list --gateway') echo 'live gateway' ;;
        'cdr list --reason') echo 'words caller_hangup callee_hangup cancelled busy no_answer unallocated_number address_incomplete number_changed callee_unavailable callee_not_registered declined congestion vendor_failure vendor_timeout vendor_authentication vendor_forbidden vendor_credit vendor_refused vendor_redirected vendor_terminated session_interval interval_too_small gateway_unreachable invite_timeout trying_timeout progress_timeout ringing_timeout route_not_found route_capacity limit_capacity limit_cps blacklist caller_unknown caller_disabled authentication_failed codec_mismatch loop_detected too_many_hops bad_request forced session_timeout session_limit media_timeout ack_timeout leg_lost media_unavailable record_unavailable draining drained node_lost internal_error' ;;
        'cdr export --format') echo 'words csv json' ;;
        'cdr export --gateway') echo 'live gateway' ;;
        'cdr export --reason') echo 'words caller_hangup callee_hangup cancelled busy no_answer unallocated_number address_incomplete number_changed callee_unavailable callee_not_registered declined congestion vendor_failure vendor_timeout vendor_authentication vendor_forbidden vendor_credit vendor_refused vendor_redirected vendor_terminated session_interval interval_too_small gateway_unreachable invite_timeout trying_timeout progress_timeout ringing_timeout route_not_found route_capacity limit_capacity limit_cps blacklist caller_unknown caller_disabled authentication_failed codec_mismatch loop_detected too_many_hops bad_request forced session_timeout session_limit media_timeout ack_timeout leg_lost media_unavailable record_unavailable draining drained node_lost internal_error' ;;
        'cdr export --output') echo 'files' ;;
        'cdr export -o') echo 'files' ;;
        'diagnose call --html') echo 'files' ;;
        'diagnose call 1') echo 'live call' ;;
        'diagnose gateway --html') echo 'files' ;;
        'diagnose gateway 1') echo 'live gateway' ;;
        'diagnose session --html') echo 'files' ;;
        'diagnose session 1') echo 'live call' ;;
        'diagnose recent --html') echo 'files' ;;
        'trace start --gateway') echo 'live gateway' ;;
        'trace export --format') echo 'words pcap text' ;;
    esac
}

_vosctl_values() {
    case $1 in
        'SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT') echo 'on off' ;;
        'SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP') echo 'rfc' ;;
        'SS_SIP_NO_TIMER_REINVITE_INTERVAL') echo 'off' ;;
        'SS_SIP_NO_TIMER_PROBE_INTERVAL') echo 'off' ;;
        'SS_SIP_USER_AGENT_EXPIRE') echo 'auto' ;;
        'SS_SIP_LARGE_REQUESTS') echo 'tcp udp' ;;
        'SS_SIP_TLS_VERIFY') echo 'on off' ;;
        'SS_SIP_TLS_CLIENTS') echo 'off request require' ;;
        'SS_SIP_STOP_SWITCH_AFTER_SDP') echo 'on off' ;;
        'SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT') echo 'on off' ;;
        'SS_GATEWAY_SWITCH_LIMIT') echo 'none' ;;
        'SS_GATEWAY_SWITCH_UNTIL_CONNECT') echo 'on off' ;;
        'SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START') echo 'on off' ;;
        'SS_SIP_100REL_ACCEPT') echo 'required media' ;;
        'SS_SIP_100REL_OFFER') echo 'on off' ;;
        'SS_SIP_REFER') echo 'not_allowed decline' ;;
        'SS_MAX_CPS') echo 'unlimited' ;;
        'SS_GATEWAY_ASR_CALCULATE') echo 'on off' ;;
        'SS_MEDIAPROXYMODE') echo 'off on auto must_on' ;;
        'SS_RTP_TIMEOUT') echo 'off' ;;
        'SS_MEDIA_NAT_LEARN') echo 'auto off' ;;
        'SS_JITTERBUFFER_MODE') echo 'fixed adaptive' ;;
        'SS_ECHOCANCEL') echo 'on off' ;;
        'SS_ECHOCANCELTAIL') echo '64 128 256' ;;
        'SS_COMFORTNOISE') echo 'on off' ;;
        'SS_QOS_SIGNAL') echo 'CS0 CS1 CS2 CS3 CS4 CS5 CS6 CS7 AF11 AF12 AF13 AF21 AF22 AF23 AF31 AF32 AF33 AF41 AF42 AF43 EF VA LE' ;;
        'SS_QOS_RTP') echo 'CS0 CS1 CS2 CS3 CS4 CS5 CS6 CS7 AF11 AF12 AF13 AF21 AF22 AF23 AF31 AF32 AF33 AF41 AF42 AF43 EF VA LE' ;;
        'SS_AUTHCHALLENGEMODE') echo '401 407' ;;
        'SS_DIGEST_ALGORITHMS') echo 'all sha_256 md5' ;;
        'SERVER_BILLING_RECORD_ILLEGAL_CALL') echo 'on off' ;;
        'SERVER_BILLING_RECORD_ZERO_HOLD_TIME') echo 'on off' ;;
        'SERVER_VERIFY_CLEARING_CUSTOMER') echo 'on off' ;;
        'SS_HEP_MESSAGES') echo 'all traced' ;;
    esac
}

_vosctl_valued() {
    case $1 in
        '--socket' | \
            '--color' | \
            '--timeout' | \
            'param list --group' | \
            'param set --gateway' | \
            'param set --why' | \
            'param reset --gateway' | \
            'param reset --why' | \
            'param diff --gateway' | \
            'param history --limit' | \
            'param preset apply --gateway' | \
            'param preset apply --why' | \
            'gateway add --kind' | \
            'gateway add --address' | \
            'gateway add --auth' | \
            'gateway add --user' | \
            'gateway add --password-file' | \
            'gateway add --prefix' | \
            'gateway add --priority' | \
            'gateway add --capacity' | \
            'gateway add --account' | \
            'gateway add --registrar' | \
            'gateway add --domain' | \
            'gateway add --why' | \
            'gateway set --password-file' | \
            'gateway set --why' | \
            'gateway enable --why' | \
            'gateway disable --why' | \
            'gateway remove --why' | \
            'phone add --password-file' | \
            'phone add --account' | \
            'phone add --display' | \
            'phone add --why' | \
            'phone set --password-file' | \
            'phone set --why' | \
            'phone remove --why' | \
            'blacklist add --side' | \
            'blacklist add --expires' | \
            'blacklist add --why' | \
            'blacklist remove --why' | \
            'blacklist check --gateway' | \
            'call list --gateway' | \
            'call hangup --why' | \
            'cdr list --since' | \
            'cdr list --until' | \
            'cdr list --caller' | \
            'cdr list --callee' | \
            'cdr list --gateway' | \
            'cdr list --reason' | \
            'cdr list --limit' | \
            'cdr export --format' | \
            'cdr export --since' | \
            'cdr export --until' | \
            'cdr export --caller' | \
            'cdr export --callee' | \
            'cdr export --gateway' | \
            'cdr export --reason' | \
            'cdr export --limit' | \
            'cdr export --output' | \
            'cdr export -o' | \
            'diagnose call --html' | \
            'diagnose gateway --html' | \
            'diagnose session --since' | \
            'diagnose session --html' | \
            'diagnose recent --since' | \
            'diagnose recent --html' | \
            'trace start --caller' | \
            'trace start --callee' | \
            'trace start --gateway' | \
            'trace start --call' | \
            'trace start --for' | \
            'trace start --why' | \
            'trace stop --why' | \
            'trace export --format') ;;
        *) return 1 ;;
    esac
}

_vosctl_live() {
    vosctl --timeout 0.3 "$1" list 2>/dev/null | awk 'NR > 1 && $1 ~ /^[A-Za-z0-9._+-]+$/ { print $1 }'
}

_vosctl_reply() {
    local IFS=$' \t\n'
    COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_vosctl_assign() {
    case $2 in
        *=*) _vosctl_reply "$(_vosctl_values "${2%%=*}")" "${2#*=}" ;;
        *) _vosctl_reply "$1" "$2"
            COMPREPLY=("${COMPREPLY[@]/%/=}")
            compopt -o nospace ;;
    esac
}

_vosctl_offer() {
    local kind words
    read -r kind words <<<"$(_vosctl_slot "$1")"
    case $kind in
        words) _vosctl_reply "$words" "$2" ;;
        live) _vosctl_reply "$(_vosctl_live "$words")" "$2" ;;
        files) compopt -o filenames; COMPREPLY=($(compgen -f -- "$2")) ;;
        assign) _vosctl_assign "$words" "$2" ;;
        *) return 1 ;;
    esac
}

_vosctl() {
    local line=${COMP_LINE:0:COMP_POINT} path='' pending='' count=0 word cur words
    COMPREPLY=()
    # bash splits words at = and :, so the line is split here
    read -ra words <<<"$line"
    cur=${words[${#words[@]} - 1]}
    if [[ $line == *[[:space:]] ]]; then
        cur=''
    else
        unset "words[${#words[@]} - 1]"
    fi
    for word in "${words[@]:1}"; do
        if [[ -n $pending ]]; then
            pending=''
        elif [[ $word == -* ]]; then
            if _vosctl_valued "${path:+$path }$word" || _vosctl_valued "$word"; then
                pending=$word
            fi
        elif [[ " $(_vosctl_commands "$path") " == *" $word "* ]]; then
            path=${path:+$path }$word
        else
            count=$((count + 1))
        fi
    done
    if [[ -z $pending && $cur == --*=* ]]; then
        pending=${cur%%=*}
        cur=${cur#*=}
    fi
    if [[ -n $pending ]]; then
        _vosctl_offer "${path:+$path }$pending" "$cur" || _vosctl_offer "$pending" "$cur"
    elif [[ $cur == -* ]]; then
        _vosctl_reply "$(_vosctl_options "$path")" "$cur"
    elif [[ -n $(_vosctl_commands "$path") ]]; then
        _vosctl_reply "$(_vosctl_commands "$path")" "$cur"
    else
        _vosctl_offer "$path $((count + 1))" "$cur" || _vosctl_offer "$path *" "$cur"
    fi
    return 0
}

complete -F _vosctl vosctl
