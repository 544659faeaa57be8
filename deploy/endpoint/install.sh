#!/bin/sh
# Installs the whichlayer agent @@VERSION@@ for the user who runs this. No root, no system service, no network.
# usage: install.sh [--folder FOLDER] [--config whichlayer.yaml] [--python PROGRAM] [--uninstall]
set -eu
supported="@@PYTHONS@@"
here=$(cd "$(dirname "$0")" && pwd)
folder=${XDG_DATA_HOME:-$HOME/.local/share}/whichlayer
config=
python=
remove=
unit=whichlayer-agent.service
units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user

say() { echo "whichlayer: $*" >&2; }
fail() { say "$*"; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --folder) folder=$2; shift 2 ;;
        --config) config=$2; shift 2 ;;
        --python) python=$2; shift 2 ;;
        --uninstall) remove=yes; shift ;;
        *) fail "unknown option $1: see the head of this file" ;;
    esac
done

if [ "$remove" ]; then
    if [ -f "$units/$unit" ]; then
        systemctl --user disable --now "$unit" || true
        rm -f "$units/$unit"
    fi
    rm -rf "$folder/venv"
    say "removed; the state folder that whichlayer.yaml names still holds what was not sent: delete it when done"
    exit 0
fi

say "checking the files"
(cd "$here" && sha256sum --quiet --check MANIFEST.sha256) || fail "the files are not the bundled ones: copy the folder again"

find_python() {
    for candidate in ${python:-python3 $(for version in $supported; do echo "python$version"; done)}; do
        found=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        for version in $supported; do
            if [ "$found" = "$version" ]; then echo "$candidate"; return; fi
        done
    done
    fail "no Python $supported was found: give one with --python PROGRAM"
}
program=$(find_python)
say "installing into $folder with $program"
mkdir -p "$folder"
"$program" -m venv "$folder/venv"
pip() { "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index "$@"; }
pip --find-links "$here/wheels" --require-hashes -r "$here/requirements.txt"
pip --no-deps --force-reinstall "$here/wheels/@@WHEEL@@"
"$folder/venv/bin/whichlayer" agent selftest --output "$folder/selftest.json"
say "please send back $folder/selftest.json (it holds no names and no addresses)"

[ "$config" ] || { say "installed; run this again with --config PATH/whichlayer.yaml to start the agent"; exit 0; }
config=$(cd "$(dirname "$config")" && pwd)/$(basename "$config")
"$folder/venv/bin/whichlayer" agent check --config "$config"
mkdir -p "$units"
sed -e "s|%VENV%|$folder/venv|" -e "s|%CONFIG%|$config|" "$here/$unit" > "$units/$unit"
if systemctl --user daemon-reload 2>/dev/null && systemctl --user enable --now "$unit"; then
    say "the agent runs; its log: journalctl --user -u $unit"
else
    say "there is no user service manager here; $units/$unit is ready for one, or run:"
    say "  $folder/venv/bin/whichlayer agent run --config $config --log $folder/agent.log"
fi
