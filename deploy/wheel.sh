#!/bin/sh
# Build the wheel, install it into a clean environment with the locked packages, run it from elsewhere.
# usage: deploy/wheel.sh PYTHON BUILD_PYTHON
set -eu
python=$1
builder=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$builder" -m hatchling build -t wheel -d "$work/dist"
"$python" -m venv "$work/clean"
"$work/clean/bin/python" -m pip install -q --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
"$work/clean/bin/python" -m pip install -q --disable-pip-version-check --no-compile --no-deps "$work"/dist/*.whl
cd "$work"
clean/bin/whichlayer --help >/dev/null
clean/bin/whichlayer journey check "$(clean/bin/python -c 'import probes, pathlib; print(pathlib.Path(probes.__file__).parent / "journeys" / "case-record.yaml")')"
echo "the wheel installs into a clean environment and runs"
