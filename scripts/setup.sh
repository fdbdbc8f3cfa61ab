#!/bin/sh
# Brings .venv and node_modules up to date with the lock files: scripts/setup.sh embedded|dev
# Does nothing, in a moment, when they already are.
set -eu
cd "$(dirname "$0")/.."
lock="requirements/$1.txt"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_REQUIRE_VIRTUALENV=0

fail() {
    echo "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

create_venv() {
    "$1" -m venv .venv >/dev/null 2>&1 && return
    # Debian ships ensurepip in a package of its own, and without it leaves half a folder behind.
    rm -rf .venv
    echo "Installing the python3-venv package"
    { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends python3-venv; } \
        >/dev/null 2>&1 || fail "This python3 cannot make virtual environments." \
        "Run 'apt-get install python3-venv' as root, then try again."
    "$1" -m venv .venv || fail "'$1 -m venv .venv' failed; its message is above."
}

make_venv() {
    if [ -x .venv/bin/python ] && supported .venv/bin/python; then return; fi
    python="${PYTHON:-python3}"
    supported "$python" ||
        fail "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=/path/to/python3."
    rm -rf .venv
    echo "Making .venv"
    create_venv "$python"
}

# A copy of the lock file is kept as the stamp, so that switching branches is noticed too.
install_python_packages() {
    if cmp -s "$lock" ".venv/installed-$1.txt"; then return; fi
    echo "Installing $lock"
    .venv/bin/python -m pip install --quiet --require-hashes --requirement "$lock" ||
        fail "Installing $lock failed; the message of pip is above."
    cp "$lock" ".venv/installed-$1.txt"
}

install_browser_packages() {
    if cmp -s package-lock.json node_modules/.installed-lock.json; then return; fi
    echo "Installing package-lock.json"
    scripts/node.sh npm ci --ignore-scripts --silent ||
        fail "Installing package-lock.json failed; 'npm ci --ignore-scripts' says why."
    cp package-lock.json node_modules/.installed-lock.json
}

# Two first starts at once would write into the same .venv: the second one waits.
if command -v flock >/dev/null; then
    exec 9<"$0"
    flock 9
fi
make_venv
install_python_packages "$1"
install_browser_packages
.venv/bin/python scripts/messages.py compile
