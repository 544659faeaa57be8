#!/bin/sh
# Make the bundles for endpoints from the package registry, and install the Linux one without any network.
# Fails when a pin of the agent has no wheel for Windows. usage: deploy/bundles.sh WHICHLAYER FOLDER
set -eu
whichlayer=$1
folder=$2
rm -rf "$folder"
mkdir -p "$folder"
"$whichlayer" bundle --platform win_amd64 --output "$folder/win_amd64"
"$whichlayer" bundle --platform linux_x86_64 --output "$folder/linux_x86_64"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
env HOME="$work" XDG_DATA_HOME="$work" XDG_CONFIG_HOME="$work" sh "$folder/linux_x86_64/install.sh" --folder "$work/installed"
"$work/installed/venv/bin/whichlayer" agent selftest --json >"$work/again.json"
python3 -c 'import json, sys; reads = json.load(open(sys.argv[1]))["reads"]; sys.exit(any(read["error"] for read in reads))' \
    "$work/installed/selftest.json"
env HOME="$work" XDG_CONFIG_HOME="$work" sh "$folder/linux_x86_64/install.sh" --folder "$work/installed" --uninstall
test ! -e "$work/installed/venv"
echo "both bundles are made of wheels alone; the Linux one installs without a network, tests itself, and goes"
