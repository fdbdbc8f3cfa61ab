#!/bin/sh
# Writes requirements/*.txt from pyproject.toml: pinned with hashes, for every supported Python, and
# without the address of any index, so that a mirror serves as well as the original.
# UPGRADE=1 takes the newest versions instead of keeping those that are locked.
set -eu
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --fork-strategy fewest --no-emit-index-url --custom-compile-command "make lock" \
        ${UPGRADE:+--upgrade} "$@"
}

compile pyproject.toml --all-extras -o requirements/dev.txt
# The smaller files take the versions of the largest, so that what is tested is what is shipped.
compile pyproject.toml -c requirements/dev.txt -o requirements/base.txt
compile pyproject.toml --extra embedded -c requirements/dev.txt -o requirements/embedded.txt
compile requirements/node.in -o requirements/node.txt

if grep -n "://" requirements/*.txt; then
    echo "The lines above hold an address; a lock file must not." >&2
    exit 1
fi
