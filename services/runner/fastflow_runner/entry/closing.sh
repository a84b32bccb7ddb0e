#!/bin/sh
# Closes the network namespace that its container holds, gives every power up, and then does what it was told to.
# usage: closing.sh USER COMMAND NAMES OPENED CLOSED LISTED
#   USER    number of the user and group that it becomes
#   NAMES   1: questions for names are answered
#   OPENED  conditions of nft, with ; between them: reached although it is one of those that never are
#   CLOSED  conditions: not reached, besides those that never are
#   LISTED  conditions: nothing else is reached; empty: no list
# It ends with 3 when the kernel cannot hold this: then nothing was ever reachable for a run, because none ran.
set -eu

# Link-local addresses, under which clouds tell machines their secrets, and the other ones under which they do so.
NEVER_4='169.254.0.0/16, 100.100.100.200/32, 168.63.129.16/32, 192.0.0.192/32, 224.0.0.0/4, 255.255.255.255/32'
NEVER_6='fe80::/10, fd00:ec2::/32, fd00:42::42/128, fd20:ce::254/128, ff00::/8'

# each CONDITIONS VERDICT: a rule for each
each() {
    rest=$1
    while [ -n "$rest" ]; do
        printf '%s %s\n' "${rest%%;*}" "$2"
        case $rest in *\;*) rest=${rest#*;} ;; *) rest= ;; esac
    done
}

# The machine that runs this engine is the next hop of every route.
hosts() {
    sed -nE 's/^\S+\s+\S+\s+([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})\s.*/0x\4 0x\3 0x\2 0x\1/p' \
        /proc/net/route | sort -u | while read -r a b c d; do
        [ "$a$b$c$d" = 0x000x000x000x00 ] || printf 'ip daddr %d.%d.%d.%d goto refused\n' "$a" "$b" "$c" "$d"
    done
    [ ! -r /proc/net/ipv6_route ] || awk '$5 !~ /^0+$/ { gsub(/..../, "&:", $5); print substr($5, 1, 39) }' \
        /proc/net/ipv6_route | sort -u | sed 's/.*/ip6 daddr & goto refused/'
}

# What answers questions for names: the engine inside this namespace, as root, or whom its file names.
names() {
    if [ "$names" != 1 ]; then
        echo 'ip daddr 127.0.0.11 goto refused'
        return
    fi
    echo 'meta skuid 0 meta l4proto { tcp, udp } th dport 53 ct mark set 1 accept'
    sed -nE 's/^nameserver\s+([0-9.]+)\s*$/ip daddr \1/p; s/^nameserver\s+([0-9a-fA-F:]+)\s*$/ip6 daddr \1/p' \
        /etc/resolv.conf | sed 's/$/ meta l4proto { tcp, udp } th dport 53 ct mark set 1 accept/'
}

listed() {
    [ -z "$listed" ] || each "$listed;" return
    [ -z "$listed" ] || echo 'goto refused'
}

user=$1 command=$2 names=$3 opened=$4 closed=$5 listed=$6
rules=$(
    cat <<RULES
table inet fastflow {
    chain refused {
        meta l4proto tcp reject with tcp reset
        reject with icmpx type admin-prohibited
    }
    chain listed {
        $(listed)
    }
    chain going {
        type filter hook output priority 0; policy drop;
        ip hdrlength > 5 drop
        $(names)
        oif lo accept
        ct state established,related accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld2-listener-report } accept
        jump listed
        $(each "$opened" 'ct mark set 1 accept')
        ip daddr { $NEVER_4 } goto refused
        ip6 daddr { $NEVER_6 } goto refused
        $(hosts)
        $(each "$closed" 'goto refused')
        accept
    }
    chain coming {
        type filter hook input priority 0; policy drop;
        iif lo accept
        ct state related accept
        ct state established ct mark 1 accept
        ip ttl 64 drop
        ip6 hoplimit 64 drop
        ct state established accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
    }
}
RULES
)
printf '%s\n' "$rules" | nft -f - || exit 3
exec setpriv --reuid="$user" --regid="$user" --clear-groups sh -c "$command"
