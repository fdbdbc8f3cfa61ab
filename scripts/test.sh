#!/bin/sh
# Every check, and the suite on PostgreSQL; beside both, in one more process, its database part on
# SQLite, whose report comes at the end: scripts/test.sh [what pytest is to be told]
set -eu
cd "$(dirname "$0")/.."
# Many tests wait, for a lease to run out, say: while they do, others compute.
processes="${PROCESSES:-4}"
report="$(mktemp)"

TEST_DATABASE=sqlite .venv/bin/python -m pytest -m database "$@" >"$report" 2>&1 &
sqlite=$!
# A shell keeps ctrl-C from what runs in the background.
trap 'kill "$sqlite" 2>/dev/null || true; rm -f "$report"' EXIT
trap 'exit 130' INT TERM

make --no-print-directory check
failed=0
TEST_DATABASE=postgres .venv/bin/python -m pytest -n "$processes" --dist worksteal "$@" || failed=$?
code=0
wait "$sqlite" || code=$?
cat "$report"
# A part of the suite may have nothing for SQLite, which ends pytest with 5.
if [ "$code" -ne 0 ] && ! { [ "$code" -eq 5 ] && [ "$#" -gt 0 ]; }; then failed=$code; fi
exit "$failed"
