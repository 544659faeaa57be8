#!/bin/sh
# System packages that the demo and the tests use. Installs what is missing when it may
# (root on a system with apt-get); otherwise says what is missing and what will be skipped.
# usage: deploy/packages.sh [demo|lab|test]   (lab: with Prometheus beside; test needs a browser and print queues as well)
# Quick when everything is there. Always ends with 0: every part says itself what it cannot do.
set -u
purpose=${1:-test}

missing=""
lost=""

# need COMMAND-THAT-SAYS-IT-IS-THERE PACKAGE WHAT-IS-SKIPPED-WITHOUT
need() {
    sh -c "$1" >/dev/null 2>&1 && return
    missing="$missing $2"
    lost="$lost
  $2: $3"
}

library() { echo "ldconfig -p | grep -q $1 || /sbin/ldconfig -p | grep -q $1"; }

look() {
    missing=""
    lost=""
    need "command -v unshare && command -v nsenter && command -v setpriv" util-linux "the demo cannot start"
    need "$(library libfuse3.so)" libfuse3-3 "the storage fault of the demo"
    need "command -v fusermount3" fuse3 "the storage fault of the demo, for ordinary users on some systems"
    need "command -v Xvnc" tigervnc-standalone-server "the remote session of the demo"
    need "command -v ippeveprinter" cups-ipp-utils "the printer of the demo, and tests that print"
    need "command -v dbus-daemon" dbus-daemon "the printer of the demo, and tests that print"
    [ "$purpose" = demo ] && return
    need "command -v prometheus" prometheus "the alert rules beside the lab, tests"
    need "command -v prometheus-blackbox-exporter" prometheus-blackbox-exporter "the alert rules beside the lab, tests"
    need "command -v prometheus-node-exporter" prometheus-node-exporter "the alert rules beside the lab, tests"
    need "command -v prometheus-postgres-exporter" prometheus-postgres-exporter "the alert rules beside the lab, tests"
    [ "$purpose" = lab ] && return
    need "command -v Xvfb" xvfb "tests of a remote client in a window"
    need "command -v xtigervncviewer" tigervnc-viewer "tests of a remote client in a window"
    need "command -v chromium || command -v chromium-browser || command -v google-chrome" chromium "tests in a browser"
    need "$(library libatomic.so.1)" libatomic1 "tests in a browser"
    need "ls /usr/sbin/cupsd" cups-daemon "tests that print through a queue"
    need "command -v lpadmin" cups-client "tests that print through a queue"
    need "command -v nft || ls /usr/sbin/nft" nftables "what the link driver says of a firewall"
    need "ls /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf" fonts-dejavu-core "readable text in browser tests"
    need "ls /usr/share/tesseract-ocr/*/tessdata/eng.traineddata" tesseract-ocr-eng "tests of text that is read on a screen"
    # These are services that others can reach and that start with the machine: only a machine for tests gets them.
    [ "${CI:-}" = true ] || return 0
    need "ls /usr/sbin/slapd" slapd "tests of a logon to a directory"
    need "command -v xrdp" xrdp "tests of a session over RDP"
    need "ls /usr/lib/xorg/modules/drivers/xrdpdev_drv.so" xorgxrdp "tests of a session over RDP"
    need "command -v xfreerdp" freerdp2-x11 "tests of a session over RDP"
}

look
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing system packages:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  a list of packages
    apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 || {
        apt-get update -q >/dev/null 2>&1
        # shellcheck disable=SC2086
        apt-get install -y -q --no-install-recommends $missing >/dev/null ||
            echo "Some packages could not be installed." >&2
    }
    look
    [ -z "$missing" ] && exit 0
fi

echo "Not installed, and skipped without:$lost" >&2
echo "An administrator can run: apt-get install$missing" >&2
exit 0
