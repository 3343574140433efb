#!/bin/sh
# Make sure that commands are there, each named like the Debian package that holds it: install
# them where this is root on Debian or Ubuntu, otherwise say what is missing. In CI a package that
# is still missing is an error.
# Usage: tools/system_packages.sh COMMAND…
set -eu

missing=""
for name in "$@"; do
    command -v "$name" >/dev/null 2>&1 || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing with apt-get" >&2
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # shellcheck disable=SC2086
    if { apt-get update && apt-get install -y --no-install-recommends $missing; } \
        >"$log" 2>&1 </dev/null; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log" >&2
fi
echo "missing system packages:$missing (tests that need them are skipped)" >&2
[ -z "${CI:-}" ]
