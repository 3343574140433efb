#!/bin/sh
# Create a virtual environment with the first Python from 3.11 to 3.13 that is found.
# Usage: tools/create_venv.sh DIR; the environment variable PYTHON names one to use instead.
set -eu

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
found=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$fits" 2>/dev/null; then
        found=$candidate
        break
    fi
done
if [ -z "$found" ]; then
    echo "asrdq needs Python 3.11, 3.12 or 3.13; none was found (set PYTHON to name one)" >&2
    exit 3
fi
if ! "$found" -c "import ensurepip, venv" 2>/dev/null; then
    echo "$found cannot create virtual environments; on Debian or Ubuntu install python3-venv" >&2
    exit 3
fi
echo "creating $1 with $("$found" --version)" >&2
"$found" -m venv "$1"
