# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for vosctl; made by python -m vosctl.emit, do not edit

set -g __vosctl_commands 'status' 'param' 'param list' 'param show' 'param set' 'param reset' 'param diff' 'param history' 'param lint' 'param preset' 'param preset list' 'param preset show' 'param preset apply' 'gateway' 'gateway add' 'gateway list' 'gateway show' 'gateway set' 'gateway enable' 'gateway disable' 'gateway remove' 'gateway probe' 'phone' 'phone add' 'phone list' 'phone show' 'phone set' 'phone remove' 'blacklist' 'blacklist add' 'blacklist remove' 'blacklist list' 'blacklist check' 'call' 'call list' 'call show' 'call hangup' 'cdr' 'cdr list' 'cdr show' 'cdr export' 'diagnose' 'diagnose call' 'diagnose gateway' 'diagnose session' 'diagnose recent' 'trace' 'trace start' 'trace stop' 'trace list' 'trace show' 'trace export'
set -g __vosctl_valued '--socket' '--color' '--timeout' 'param list --group' 'param set --gateway' 'param set --why' 'param reset --gateway' 'param reset --why' 'param diff --gateway' 'param history --limit' 'param preset apply --gateway' 'param preset apply --why' 'gateway add --kind' 'gateway add --address' 'gateway add --auth' 'gateway add --user' 'gateway add --password-file' 'gateway add --prefix' 'gateway add --priority' 'gateway add --capacity' 'gateway add --account' 'gateway add --registrar' 'gateway add --domain' 'gateway add --why' 'gateway set --password-file' 'gateway set --why' 'gateway enable --why' 'gateway disable --why' 'gateway remove --why' 'phone add --password-file' 'phone add --account' 'phone add --display' 'phone add --why' 'phone set --password-file' 'phone set --why' 'phone remove --why' 'blacklist add --side' 'blacklist add --expires' 'blacklist add --why' 'blacklist remove --why' 'blacklist check --gateway' 'call list --gateway' 'call hangup --why' 'cdr list --since' 'cdr list --until' 'cdr list --caller' 'cdr list --callee' 'cdr list --gateway' 'cdr list --reason' 'cdr list --limit' 'cdr export --format' 'cdr export --since' 'cdr export --until' 'cdr export --caller' 'cdr export --callee' 'cdr export --gateway' 'cdr export --reason' 'cdr export --limit' 'cdr export --output' 'cdr export -o' 'diagnose call --html' 'diagnose gateway --html' 'diagnose session --since' 'diagnose session --html' 'diagnose recent --since' 'diagnose recent --html' 'trace start --caller' 'trace start --callee' 'trace start --gateway' 'trace start --call' 'trace start --for' 'trace start --why' 'trace stop --why' 'trace export --format'

function __vosctl_walk -d 'Command the cursor is in, then how many arguments stand before it'
    set -l path ''
    set -l count 0
    set -l pending ''
    for word in (commandline -opc)[2..-1]
        if test -n "$pending"
            set pending ''
        else if string match -q -- '-*' $word
            if contains -- (string trim -- "$path $word") $__vosctl_valued
                or contains -- $word $__vosctl_valued
                set pending $word
            end
        else if contains -- (string trim -- "$path $word") $__vosctl_commands
            set path (string trim -- "$path $word")
        else
            set count (math $count + 1)
        end
    end
    echo $path
    echo $count
end

function __vosctl_in -a path
    set -l walk (__vosctl_walk)
    test "$walk[1]" = "$path"
end

function __vosctl_at -a path place
    set -l walk (__vosctl_walk)
    test "$walk[1]" = "$path"; and test $walk[2] -ge (math $place - 1)
end

function __vosctl_just_at -a path place
    set -l walk (__vosctl_walk)
    test "$walk[1]" = "$path"; and test $walk[2] -eq (math $place - 1)
end

function __vosctl_live -a what
    vosctl --timeout 0.3 $what list 2>/dev/null | awk 'NR > 1 && $1 ~ /^[A-Za-z0-9._+-]+$/ { print $1 }'
end

function __vosctl_assign
    set -l word (commandline -ct)
    if string match -q -- '*=*' $word
        set -l name (string split -m 1 = -- $word)[1]
        switch $name
            case SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT
                printf '%s\n' $name={on,off}
            case SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP
                echo $name=rfc
            case SS_SIP_NO_TIMER_REINVITE_INTERVAL
                echo $name=off
            case SS_SIP_NO_TIMER_PROBE_INTERVAL
                echo $name=off
            case SS_SIP_USER_AGENT_EXPIRE
                echo $name=auto
            case SS_SIP_LARGE_REQUESTS
                printf '%s\n' $name={tcp,udp}
            case SS_SIP_TLS_VERIFY
                printf '%s\n' $name={on,off}
            case SS_SIP_TLS_CLIENTS
                printf '%s\n' $name={off,request,require}
            case SS_SIP_STOP_SWITCH_AFTER_SDP
                printf '%s\n' $name={on,off}
            case SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT
                printf '%s\n' $name={on,off}
            case SS_GATEWAY_SWITCH_LIMIT
                echo $name=none
            case SS_GATEWAY_SWITCH_UNTIL_CONNECT
                printf '%s\n' $name={on,off}
            case SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START
                printf '%s\n' $name={on,off}
            case SS_SIP_100REL_ACCEPT
                printf '%s\n' $name={required,media}
            case SS_SIP_100REL_OFFER
                printf '%s\n' $name={on,off}
            case SS_SIP_REFER
                printf '%s\n' $name={not_allowed,decline}
            case SS_MAX_CPS
                echo $name=unlimited
            case SS_GATEWAY_ASR_CALCULATE
                printf '%s\n' $name={on,off}
            case SS_MEDIAPROXYMODE
                printf '%s\n' $name={off,on,auto,must_on}
            case SS_RTP_TIMEOUT
                echo $name=off
            case SS_MEDIA_NAT_LEARN
                printf '%s\n' $name={auto,off}
            case SS_JITTERBUFFER_MODE
                printf '%s\n' $name={fixed,adaptive}
            case SS_ECHOCANCEL
                printf '%s\n' $name={on,off}
            case SS_ECHOCANCELTAIL
                printf '%s\n' $name={64,128,256}
            case SS_COMFORTNOISE
                printf '%s\n' $name={on,off}
            case SS_QOS_SIGNAL
                printf '%s\n' $name={CS0,CS1,CS2,CS3,CS4,CS5,CS6,CS7,AF11,AF12,AF13,AF21,AF22,AF23,AF31,AF32,AF33,AF41,AF42,AF43,EF,VA,LE}
            case SS_QOS_RTP
                printf '%s\n' $name={CS0,CS1,CS2,CS3,CS4,CS5,CS6,CS7,AF11,AF12,AF13,AF21,AF22,AF23,AF31,AF32,AF33,AF41,AF42,AF43,EF,VA,LE}
            case SS_AUTHCHALLENGEMODE
                printf '%s\n' $name={401,407}
            case SS_DIGEST_ALGORITHMS
                printf '%s\n' $name={all,sha_256,md5}
            case SERVER_BILLING_RECORD_ILLEGAL_CALL
                printf '%s\n' $name={on,off}
            case SERVER_BILLING_RECORD_ZERO_HOLD_TIME
                printf '%s\n' $name={on,off}
            case SERVER_VERIFY_CLEARING_CUSTOMER
                printf '%s\n' $name={on,off}
            case SS_HEP_MESSAGES
                printf '%s\n' $name={all,traced}
        end
    else
        printf '%s=\n' $argv
    end
end

complete -c vosctl -f
complete -c vosctl -l socket -r -F -d 'Control socket. Environment: VOSCTL_SOCKET.'
complete -c vosctl -l json -d 'Versioned JSON on stdout.'
complete -c vosctl -l color -x -a 'auto always never' -d 'auto: on a terminal, unless NO_COLOR is set. Default: auto.'
complete -c vosctl -l timeout -x -d 'Seconds to wait for vosd. Default: 10.'
complete -c vosctl -l version -d 'Show the version.'
complete -c vosctl -s h -l help -d 'Show the options.'
complete -c vosctl -n '__vosctl_in ""' -a status -d 'Show the node: calls, registrations, gateways, relay, record queue, alarms.'
complete -c vosctl -n '__vosctl_in ""' -a param -d 'Parameters: values, changes, history, presets, known mistakes.'
complete -c vosctl -n '__vosctl_in ""' -a gateway -d 'Gateways: mapping (customers, calls come in) and routing (vendors, calls go out).'
complete -c vosctl -n '__vosctl_in ""' -a phone -d 'Phones and their registrations.'
complete -c vosctl -n '__vosctl_in ""' -a blacklist -d 'Numbers blocked on every path in: gateways and phones.'
complete -c vosctl -n '__vosctl_in ""' -a call -d 'Live calls. A is the calling side, B the called; figures are what vosd receives.'
complete -c vosctl -n '__vosctl_in ""' -a cdr -d 'Call records.'
complete -c vosctl -n '__vosctl_in ""' -a diagnose -d 'Why a call or a gateway sounds bad or drops, and what to change. Exit 5: something is wrong.'
complete -c vosctl -n '__vosctl_in ""' -a trace -d 'SIP traces. They live in vosd\'s memory for a while, hold every message as it was sent (also the responses of digest authentication: treat exports as secrets), and are gone when vosd ends.'
complete -c vosctl -n '__vosctl_in "param"' -a list -d 'Show parameters with value, default and when a change takes effect.'
complete -c vosctl -n '__vosctl_in "param"' -a show -d 'Show everything known about one parameter.'
complete -c vosctl -n '__vosctl_in "param"' -a set -d 'Set parameters, all or none.'
complete -c vosctl -n '__vosctl_in "param"' -a reset -d 'Return to the default, or with --gateway to the value for all.'
complete -c vosctl -n '__vosctl_in "param"' -a diff -d 'Show what differs from its default.'
complete -c vosctl -n '__vosctl_in "param"' -a history -d 'Show who changed what, when and why.'
complete -c vosctl -n '__vosctl_in "param"' -a lint -d 'Look for the known mistakes in this configuration.'
complete -c vosctl -n '__vosctl_in "param"' -a preset -d 'Presets: values that belong together.'
complete -c vosctl -n '__vosctl_in "param list"' -l group -x -a 'timeouts session nat transport overload routing media jitter audio qos registration authentication records accounts trace metrics system' -d 'One of timeouts, session, nat, transport, overload, routing, media, jitter, audio, qos, registration, authentication, records, accounts, trace, metrics, system.'
complete -c vosctl -n '__vosctl_in "param list"' -l changed -d 'Only what differs from its default.'
complete -c vosctl -n '__vosctl_just_at "param show" 1' -a 'SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_RESEND_INTERVAL SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP SS_SIP_NO_TIMER_REINVITE_INTERVAL SS_SIP_NO_TIMER_PROBE_INTERVAL SS_SIP_SESSION_MIN_SE SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_ENDPOINT_CONTACTS SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY SS_SIP_TCP_CONNECT_TIMEOUT SS_SIP_TCP_IDLE SS_SIP_TCP_PER_SOURCE SS_SIP_TCP_CONNECTIONS SS_SIP_LARGE_REQUESTS SS_SIP_TLS_VERIFY SS_SIP_TLS_CLIENTS SS_OVERLOAD_INVITE_AGE SS_OVERLOAD_STRANGERS SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START SS_SIP_100REL_ACCEPT SS_SIP_100REL_OFFER SS_SIP_REFER SS_MAX_CPS SS_GATEWAY_ASR_CALCULATE SS_MEDIAPROXYMODE SS_MEDIAPROXYPORT_START SS_MEDIAPROXYPORT_END SS_RTP_TIMEOUT SS_MEDIA_NAT_LEARN SS_JITTERBUFFER_MODE SS_JITTERBUFFER_MIN SS_JITTERBUFFER_MAX SS_JITTERBUFFER_DEFAULT SS_ECHOCANCEL SS_ECHOCANCELTAIL SS_VOICEGAIN SS_COMFORTNOISE SS_QOS_SIGNAL SS_QOS_RTP SS_AUTHCHALLENGEMODE SS_DIGEST_ALGORITHMS SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND SERVER_BILLING_RECORD_ILLEGAL_CALL SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_VERIFY_CLEARING_CUSTOMER SS_TRACE_TIME SS_TRACE_MEMORY SS_TRACE_MEMORY_TOTAL SS_HEP_ADDRESS SS_HEP_CAPTURE_ID SS_HEP_MESSAGES SS_METRICS_ADDRESS SERVER_DRAIN_TIMEOUT'
complete -c vosctl -n '__vosctl_in "param set"' -l gateway -x -a '(__vosctl_live gateway)' -d 'For calls of this gateway alone.'
complete -c vosctl -n '__vosctl_in "param set"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "param set"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_at "param set" 1' -a '(__vosctl_assign SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_RESEND_INTERVAL SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP SS_SIP_NO_TIMER_REINVITE_INTERVAL SS_SIP_NO_TIMER_PROBE_INTERVAL SS_SIP_SESSION_MIN_SE SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_ENDPOINT_CONTACTS SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY SS_SIP_TCP_CONNECT_TIMEOUT SS_SIP_TCP_IDLE SS_SIP_TCP_PER_SOURCE SS_SIP_TCP_CONNECTIONS SS_SIP_LARGE_REQUESTS SS_SIP_TLS_VERIFY SS_SIP_TLS_CLIENTS SS_OVERLOAD_INVITE_AGE SS_OVERLOAD_STRANGERS SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START SS_SIP_100REL_ACCEPT SS_SIP_100REL_OFFER SS_SIP_REFER SS_MAX_CPS SS_GATEWAY_ASR_CALCULATE SS_MEDIAPROXYMODE SS_MEDIAPROXYPORT_START SS_MEDIAPROXYPORT_END SS_RTP_TIMEOUT SS_MEDIA_NAT_LEARN SS_JITTERBUFFER_MODE SS_JITTERBUFFER_MIN SS_JITTERBUFFER_MAX SS_JITTERBUFFER_DEFAULT SS_ECHOCANCEL SS_ECHOCANCELTAIL SS_VOICEGAIN SS_COMFORTNOISE SS_QOS_SIGNAL SS_QOS_RTP SS_AUTHCHALLENGEMODE SS_DIGEST_ALGORITHMS SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND SERVER_BILLING_RECORD_ILLEGAL_CALL SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_VERIFY_CLEARING_CUSTOMER SS_TRACE_TIME SS_TRACE_MEMORY SS_TRACE_MEMORY_TOTAL SS_HEP_ADDRESS SS_HEP_CAPTURE_ID SS_HEP_MESSAGES SS_METRICS_ADDRESS SERVER_DRAIN_TIMEOUT)'
complete -c vosctl -n '__vosctl_in "param reset"' -l gateway -x -a '(__vosctl_live gateway)' -d 'For calls of this gateway alone.'
complete -c vosctl -n '__vosctl_in "param reset"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "param reset"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_at "param reset" 1' -a 'SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_RESEND_INTERVAL SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP SS_SIP_NO_TIMER_REINVITE_INTERVAL SS_SIP_NO_TIMER_PROBE_INTERVAL SS_SIP_SESSION_MIN_SE SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_ENDPOINT_CONTACTS SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY SS_SIP_TCP_CONNECT_TIMEOUT SS_SIP_TCP_IDLE SS_SIP_TCP_PER_SOURCE SS_SIP_TCP_CONNECTIONS SS_SIP_LARGE_REQUESTS SS_SIP_TLS_VERIFY SS_SIP_TLS_CLIENTS SS_OVERLOAD_INVITE_AGE SS_OVERLOAD_STRANGERS SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START SS_SIP_100REL_ACCEPT SS_SIP_100REL_OFFER SS_SIP_REFER SS_MAX_CPS SS_GATEWAY_ASR_CALCULATE SS_MEDIAPROXYMODE SS_MEDIAPROXYPORT_START SS_MEDIAPROXYPORT_END SS_RTP_TIMEOUT SS_MEDIA_NAT_LEARN SS_JITTERBUFFER_MODE SS_JITTERBUFFER_MIN SS_JITTERBUFFER_MAX SS_JITTERBUFFER_DEFAULT SS_ECHOCANCEL SS_ECHOCANCELTAIL SS_VOICEGAIN SS_COMFORTNOISE SS_QOS_SIGNAL SS_QOS_RTP SS_AUTHCHALLENGEMODE SS_DIGEST_ALGORITHMS SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND SERVER_BILLING_RECORD_ILLEGAL_CALL SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_VERIFY_CLEARING_CUSTOMER SS_TRACE_TIME SS_TRACE_MEMORY SS_TRACE_MEMORY_TOTAL SS_HEP_ADDRESS SS_HEP_CAPTURE_ID SS_HEP_MESSAGES SS_METRICS_ADDRESS SERVER_DRAIN_TIMEOUT'
complete -c vosctl -n '__vosctl_in "param diff"' -l gateway -x -a '(__vosctl_live gateway)' -d 'For calls of this gateway alone.'
complete -c vosctl -n '__vosctl_in "param history"' -l limit -x -d 'Newest N changes. Default: 50.'
complete -c vosctl -n '__vosctl_just_at "param history" 1' -a 'SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_RESEND_INTERVAL SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP SS_SIP_NO_TIMER_REINVITE_INTERVAL SS_SIP_NO_TIMER_PROBE_INTERVAL SS_SIP_SESSION_MIN_SE SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_ENDPOINT_CONTACTS SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY SS_SIP_TCP_CONNECT_TIMEOUT SS_SIP_TCP_IDLE SS_SIP_TCP_PER_SOURCE SS_SIP_TCP_CONNECTIONS SS_SIP_LARGE_REQUESTS SS_SIP_TLS_VERIFY SS_SIP_TLS_CLIENTS SS_OVERLOAD_INVITE_AGE SS_OVERLOAD_STRANGERS SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START SS_SIP_100REL_ACCEPT SS_SIP_100REL_OFFER SS_SIP_REFER SS_MAX_CPS SS_GATEWAY_ASR_CALCULATE SS_MEDIAPROXYMODE SS_MEDIAPROXYPORT_START SS_MEDIAPROXYPORT_END SS_RTP_TIMEOUT SS_MEDIA_NAT_LEARN SS_JITTERBUFFER_MODE SS_JITTERBUFFER_MIN SS_JITTERBUFFER_MAX SS_JITTERBUFFER_DEFAULT SS_ECHOCANCEL SS_ECHOCANCELTAIL SS_VOICEGAIN SS_COMFORTNOISE SS_QOS_SIGNAL SS_QOS_RTP SS_AUTHCHALLENGEMODE SS_DIGEST_ALGORITHMS SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND SERVER_BILLING_RECORD_ILLEGAL_CALL SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_VERIFY_CLEARING_CUSTOMER SS_TRACE_TIME SS_TRACE_MEMORY SS_TRACE_MEMORY_TOTAL SS_HEP_ADDRESS SS_HEP_CAPTURE_ID SS_HEP_MESSAGES SS_METRICS_ADDRESS SERVER_DRAIN_TIMEOUT'
complete -c vosctl -n '__vosctl_in "param preset"' -a list -d 'Show every preset, and whether its values are in force.'
complete -c vosctl -n '__vosctl_in "param preset"' -a show -d 'Show a preset\'s values beside those in force.'
complete -c vosctl -n '__vosctl_in "param preset"' -a apply -d 'Set every value of a preset, all or none.'
complete -c vosctl -n '__vosctl_just_at "param preset show" 1' -a 'lan wan internet satellite wholesale call-center mobile enterprise high-security recommended rfc4594 cs3 as-seed'
complete -c vosctl -n '__vosctl_in "param preset apply"' -l gateway -x -a '(__vosctl_live gateway)' -d 'For calls of this gateway alone.'
complete -c vosctl -n '__vosctl_in "param preset apply"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "param preset apply"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_just_at "param preset apply" 1' -a 'lan wan internet satellite wholesale call-center mobile enterprise high-security recommended rfc4594 cs3 as-seed'
complete -c vosctl -n '__vosctl_in "gateway"' -a add -d 'Add a gateway.'
complete -c vosctl -n '__vosctl_in "gateway"' -a list -d 'Show every gateway with its live calls and health.'
complete -c vosctl -n '__vosctl_in "gateway"' -a show -d 'Show one gateway.'
complete -c vosctl -n '__vosctl_in "gateway"' -a set -d 'Change fields of a gateway, all or none.'
complete -c vosctl -n '__vosctl_in "gateway"' -a enable -d 'Let a gateway take part in calls again.'
complete -c vosctl -n '__vosctl_in "gateway"' -a disable -d 'Take a gateway out of new calls; its live calls go on.'
complete -c vosctl -n '__vosctl_in "gateway"' -a remove -d 'Forget a gateway.'
complete -c vosctl -n '__vosctl_in "gateway"' -a probe -d 'Send one OPTIONS and show the answer.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l kind -x -a 'mapping routing' -d 'mapping: a customer; routing: a vendor.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l address -x -d 'Where it is; again for more. [IPv6]:port; /udp, /tcp or /tls, udp when left out; port 5060, 5061 for tls.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l auth -x -a 'ip ip_port password' -d 'How a customer is known. Default: ip.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l user -x -d 'Digest user; a customer\'s name by default.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l password-file -r -F -d 'Password in its first line; - is stdin.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l generate-password -d 'Make a password and print it, this once.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l prefix -x -d 'Called-number prefix a vendor serves; again for more.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l priority -x -d 'Lower is tried first. Default: 0.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l capacity -x -d 'Concurrent calls; 0: no limit. Default: 0.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l account -x -d 'Account its calls belong to.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l register -d 'Register with a vendor, as --user with its password.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l registrar -x -d 'Where to register; at the vendor\'s own address when left out.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l domain -x -d 'Domain to register for; the registrar\'s host when left out.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "gateway add"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_just_at "gateway show" 1' -a '(__vosctl_live gateway)'
complete -c vosctl -n '__vosctl_in "gateway set"' -l password-file -r -F -d 'Password in its first line; - is stdin.'
complete -c vosctl -n '__vosctl_in "gateway set"' -l generate-password -d 'Make a password and print it, this once.'
complete -c vosctl -n '__vosctl_in "gateway set"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "gateway set"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_just_at "gateway set" 1' -a '(__vosctl_live gateway)'
complete -c vosctl -n '__vosctl_at "gateway set" 2' -a '(__vosctl_assign address auth user prefix priority capacity account register registrar domain)'
complete -c vosctl -n '__vosctl_in "gateway enable"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "gateway enable"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_just_at "gateway enable" 1' -a '(__vosctl_live gateway)'
complete -c vosctl -n '__vosctl_in "gateway disable"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "gateway disable"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_in "gateway disable"' -l yes -s y -d 'Do not ask.'
complete -c vosctl -n '__vosctl_just_at "gateway disable" 1' -a '(__vosctl_live gateway)'
complete -c vosctl -n '__vosctl_in "gateway remove"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "gateway remove"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_in "gateway remove"' -l yes -s y -d 'Do not ask.'
complete -c vosctl -n '__vosctl_just_at "gateway remove" 1' -a '(__vosctl_live gateway)'
complete -c vosctl -n '__vosctl_just_at "gateway probe" 1' -a '(__vosctl_live gateway)'
complete -c vosctl -n '__vosctl_in "phone"' -a add -d 'Add a phone that may register.'
complete -c vosctl -n '__vosctl_in "phone"' -a list -d 'Show every phone: registration, the address it came from, expiry.'
complete -c vosctl -n '__vosctl_in "phone"' -a show -d 'Show one phone.'
complete -c vosctl -n '__vosctl_in "phone"' -a set -d 'Change fields of a phone, all or none.'
complete -c vosctl -n '__vosctl_in "phone"' -a remove -d 'Forget a phone and its registration.'
complete -c vosctl -n '__vosctl_in "phone add"' -l password-file -r -F -d 'Password in its first line; - is stdin.'
complete -c vosctl -n '__vosctl_in "phone add"' -l generate-password -d 'Make a password and print it, this once.'
complete -c vosctl -n '__vosctl_in "phone add"' -l account -x -d 'Account its calls belong to.'
complete -c vosctl -n '__vosctl_in "phone add"' -l display -x -d 'Name shown to who is called.'
complete -c vosctl -n '__vosctl_in "phone add"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "phone add"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_just_at "phone show" 1' -a '(__vosctl_live phone)'
complete -c vosctl -n '__vosctl_in "phone set"' -l password-file -r -F -d 'Password in its first line; - is stdin.'
complete -c vosctl -n '__vosctl_in "phone set"' -l generate-password -d 'Make a password and print it, this once.'
complete -c vosctl -n '__vosctl_in "phone set"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "phone set"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_just_at "phone set" 1' -a '(__vosctl_live phone)'
complete -c vosctl -n '__vosctl_at "phone set" 2' -a '(__vosctl_assign account display enabled)'
complete -c vosctl -n '__vosctl_in "phone remove"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "phone remove"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_in "phone remove"' -l yes -s y -d 'Do not ask.'
complete -c vosctl -n '__vosctl_just_at "phone remove" 1' -a '(__vosctl_live phone)'
complete -c vosctl -n '__vosctl_in "blacklist"' -a add -d 'Block numbers or prefixes.'
complete -c vosctl -n '__vosctl_in "blacklist"' -a remove -d 'Take numbers or prefixes off the list, on every side.'
complete -c vosctl -n '__vosctl_in "blacklist"' -a list -d 'Show the system list.'
complete -c vosctl -n '__vosctl_in "blacklist"' -a check -d 'Would a call from or to NUMBER pass, and which row decides.'
complete -c vosctl -n '__vosctl_in "blacklist add"' -l prefix -d 'Every number that begins with NUMBER.'
complete -c vosctl -n '__vosctl_in "blacklist add"' -l side -x -a 'caller callee both' -d 'Block it as caller, as callee, or both. Default: both.'
complete -c vosctl -n '__vosctl_in "blacklist add"' -l expires -x -d 'For how long: 90s 2h 1d.'
complete -c vosctl -n '__vosctl_in "blacklist add"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "blacklist add"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_in "blacklist remove"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "blacklist remove"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_in "blacklist check"' -l gateway -x -a '(__vosctl_live gateway)' -d 'The mapping gateway it would come in on.'
complete -c vosctl -n '__vosctl_in "call"' -a list -d 'Show the live calls with the loss and jitter of both legs.'
complete -c vosctl -n '__vosctl_in "call"' -a show -d 'Show one live call: both legs, all four streams side by side.'
complete -c vosctl -n '__vosctl_in "call"' -a hangup -d 'End calls; all are found before the first is ended.'
complete -c vosctl -n '__vosctl_in "call list"' -l watch -d 'Keep showing; in a pipe, all rows each second.'
complete -c vosctl -n '__vosctl_in "call list"' -l gateway -x -a '(__vosctl_live gateway)' -d 'Only calls from or to it.'
complete -c vosctl -n '__vosctl_just_at "call show" 1' -a '(__vosctl_live call)'
complete -c vosctl -n '__vosctl_in "call hangup"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "call hangup"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_in "call hangup"' -l yes -s y -d 'Do not ask.'
complete -c vosctl -n '__vosctl_at "call hangup" 1' -a '(__vosctl_live call)'
complete -c vosctl -n '__vosctl_in "cdr"' -a list -d 'Show call records, newest first.'
complete -c vosctl -n '__vosctl_in "cdr"' -a show -d 'Show one record with its evidence.'
complete -c vosctl -n '__vosctl_in "cdr"' -a export -d 'Write call records, oldest first.'
complete -c vosctl -n '__vosctl_in "cdr list"' -l since -x -d 'Began then or later: a time ago (90s 2h 1d) or a date (2026-11-22T14:30).'
complete -c vosctl -n '__vosctl_in "cdr list"' -l until -x -d 'Began before then, said likewise.'
complete -c vosctl -n '__vosctl_in "cdr list"' -l caller -x -d 'Calling number; 46* for all that begin so.'
complete -c vosctl -n '__vosctl_in "cdr list"' -l callee -x -d 'Called number; 46* for all that begin so.'
complete -c vosctl -n '__vosctl_in "cdr list"' -l gateway -x -a '(__vosctl_live gateway)' -d 'Came from it or went to it.'
complete -c vosctl -n '__vosctl_in "cdr list"' -l reason -x -a 'caller_hangup callee_hangup cancelled busy no_answer unallocated_number address_incomplete number_changed callee_unavailable callee_not_registered declined congestion vendor_failure vendor_timeout vendor_authentication vendor_forbidden vendor_credit vendor_refused vendor_redirected vendor_terminated session_interval interval_too_small gateway_unreachable invite_timeout trying_timeout progress_timeout ringing_timeout route_not_found route_capacity limit_capacity limit_cps blacklist caller_unknown caller_disabled authentication_failed codec_mismatch loop_detected too_many_hops bad_request forced session_timeout session_limit media_timeout ack_timeout leg_lost media_unavailable record_unavailable draining drained node_lost internal_error' -d 'End reason, such as busy.'
complete -c vosctl -n '__vosctl_in "cdr list"' -l limit -x -d 'At most N. Default: 50.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l format -x -a 'csv json' -d 'Of the file.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l since -x -d 'Began then or later: a time ago (90s 2h 1d) or a date (2026-11-22T14:30).'
complete -c vosctl -n '__vosctl_in "cdr export"' -l until -x -d 'Began before then, said likewise.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l caller -x -d 'Calling number; 46* for all that begin so.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l callee -x -d 'Called number; 46* for all that begin so.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l gateway -x -a '(__vosctl_live gateway)' -d 'Came from it or went to it.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l reason -x -a 'caller_hangup callee_hangup cancelled busy no_answer unallocated_number address_incomplete number_changed callee_unavailable callee_not_registered declined congestion vendor_failure vendor_timeout vendor_authentication vendor_forbidden vendor_credit vendor_refused vendor_redirected vendor_terminated session_interval interval_too_small gateway_unreachable invite_timeout trying_timeout progress_timeout ringing_timeout route_not_found route_capacity limit_capacity limit_cps blacklist caller_unknown caller_disabled authentication_failed codec_mismatch loop_detected too_many_hops bad_request forced session_timeout session_limit media_timeout ack_timeout leg_lost media_unavailable record_unavailable draining drained node_lost internal_error' -d 'End reason, such as busy.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l limit -x -d 'At most N; 0: all. Default: 0.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l output -s o -r -F -d 'Instead of stdout.'
complete -c vosctl -n '__vosctl_in "cdr export"' -l spreadsheet -d 'CSV: put \' before cells a spreadsheet would compute.'
complete -c vosctl -n '__vosctl_in "diagnose"' -a call -d 'Explain one call: verdict, evidence, cause, the one change, what would disprove it.'
complete -c vosctl -n '__vosctl_in "diagnose"' -a gateway -d 'Explain what the live and latest calls of a gateway have in common.'
complete -c vosctl -n '__vosctl_in "diagnose"' -a session -d 'Explain why a call dropped or will: lost ACK, RTP time-out, session timers, NAT.'
complete -c vosctl -n '__vosctl_in "diagnose"' -a recent -d 'Rank the bad ones among the live and latest calls, the worst first.'
complete -c vosctl -n '__vosctl_in "diagnose call"' -l last -d 'The call that began last.'
complete -c vosctl -n '__vosctl_in "diagnose call"' -l worst -d 'The worst of the live and latest calls.'
complete -c vosctl -n '__vosctl_in "diagnose call"' -l html -r -F -d 'Write it as one HTML page as well.'
complete -c vosctl -n '__vosctl_just_at "diagnose call" 1' -a '(__vosctl_live call)'
complete -c vosctl -n '__vosctl_in "diagnose gateway"' -l html -r -F -d 'Write it as one HTML page as well.'
complete -c vosctl -n '__vosctl_just_at "diagnose gateway" 1' -a '(__vosctl_live gateway)'
complete -c vosctl -n '__vosctl_in "diagnose session"' -l since -x -d 'A time ago (2h) or a date.'
complete -c vosctl -n '__vosctl_in "diagnose session"' -l html -r -F -d 'Write it as one HTML page as well.'
complete -c vosctl -n '__vosctl_just_at "diagnose session" 1' -a '(__vosctl_live call)'
complete -c vosctl -n '__vosctl_in "diagnose recent"' -l since -x -d 'A time ago (2h) or a date.'
complete -c vosctl -n '__vosctl_in "diagnose recent"' -l html -r -F -d 'Write it as one HTML page as well.'
complete -c vosctl -n '__vosctl_in "trace"' -a start -d 'Keep the messages of calls that match all that is given, of everything when nothing is.'
complete -c vosctl -n '__vosctl_in "trace"' -a stop -d 'End a trace before its time; it can still be shown and exported.'
complete -c vosctl -n '__vosctl_in "trace"' -a list -d 'Show the traces that run or ran since vosd started.'
complete -c vosctl -n '__vosctl_in "trace"' -a show -d 'Draw a trace: a ladder a call, what it says of session timers, and what is missing.'
complete -c vosctl -n '__vosctl_in "trace"' -a export -d 'Write a trace\'s messages as a capture or as text.'
complete -c vosctl -n '__vosctl_in "trace start"' -l caller -x -d 'Calls from numbers that begin so.'
complete -c vosctl -n '__vosctl_in "trace start"' -l callee -x -d 'Calls to numbers that begin so.'
complete -c vosctl -n '__vosctl_in "trace start"' -l gateway -x -a '(__vosctl_live gateway)' -d 'Calls from or to it, its OPTIONS.'
complete -c vosctl -n '__vosctl_in "trace start"' -l call -x -d 'One live call: its id or SIP Call-ID.'
complete -c vosctl -n '__vosctl_in "trace start"' -l for -x -d 'At most 2h; usual are 10m to 30m.'
complete -c vosctl -n '__vosctl_in "trace start"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "trace start"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_in "trace stop"' -l why -x -d 'Why, kept in the audit.'
complete -c vosctl -n '__vosctl_in "trace stop"' -l dry-run -d 'Show what would change, change nothing.'
complete -c vosctl -n '__vosctl_in "trace export"' -l format -x -a 'pcap text' -d 'Of the file.'
