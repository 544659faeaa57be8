#!/bin/sh
# Runs the agent of a Windows bundle on Wine: the self-test of a real CPython for Windows, not of Windows.
# usage: tests/windows/wine.sh BUNDLE FOLDER (needs wine, gcc-mingw-w64-x86-64, unzip, and the package registry)
#
# CPython's own files for Windows come inside the wheel of panda3d, which ships them for its users' programs. What
# that leaves out is made here: python.exe, python3.dll (names handed on to python311.dll), and for Wine 8
# bcryptprimitives.dll. The standard library is that of this machine's Python 3.11: it is the same on all systems.
set -eu
bundle=$(cd "$1" && pwd)
mkdir -p "$2"
work=$(cd "$2" && pwd)
cc=x86_64-w64-mingw32-gcc
home=$work/python
export WINEPREFIX="$work/prefix" WINEDEBUG=-all HOME="$work"
rm -rf "$home"
mkdir -p "$home/Lib/site-packages" "$home/DLLs"
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --platform win_amd64 \
    --python-version 3.11 --implementation cp -d "$work" 'panda3d==1.10.16'
unzip -qo -j "$work"/panda3d-*.whl 'deploy_libs/*' -x '*/api-ms-*' '*/tcl*' '*/tk*' '*/_tkinter*' -d "$home"
mv "$home"/*.pyd "$home/DLLs/"
cp "$home"/sqlite3.dll "$home"/libssl-3.dll "$home"/libcrypto-3.dll "$home"/libffi-8.dll "$home/DLLs/"
cp -r "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"/. "$home/Lib/" 2>/dev/null || true
rm -rf "$home/Lib/lib-dynload" "$home/Lib/test" "$home/Lib/site-packages" "$home/Lib/dist-packages"
mkdir -p "$home/Lib/site-packages"

cat > "$work/python.c" <<'C'
#include <windows.h>
int wmain(int argc, wchar_t **argv) {
    HMODULE python = LoadLibraryW(L"python311.dll");
    if (!python) return 99;
    int (*run)(int, wchar_t **) = (void *)GetProcAddress(python, "Py_Main");
    return run(argc, argv);
}
C
cat > "$work/random.c" <<'C'
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, (ULONG)length); }
C
echo > "$work/empty.c"
{ echo "LIBRARY python3.dll"; echo EXPORTS
  x86_64-w64-mingw32-objdump -p "$home/python311.dll" | awk '/Ordinal\/Name Pointer/{on=1; next} on && /\[/{print $NF}' |
      sed -n 's/^\(_\{0,1\}Py.*\)/\1 = python311.\1/p'; } > "$work/python3.def"
$cc -municode "$work/python.c" -o "$home/python.exe"
$cc -shared -nostartfiles -Wl,-e,0 "$work/empty.c" "$work/python3.def" -o "$home/python3.dll"
$cc -shared "$work/random.c" -o "$home/bcryptprimitives.dll" -ladvapi32

for wheel in "$bundle"/wheels/*.whl; do
    case $wheel in *-cp312-* | *-cp313-*) continue ;; esac
    unzip -qo "$wheel" -d "$home/Lib/site-packages"
done
rm -f "$work/selftest.json"
wineboot --init </dev/null >/dev/null 2>&1  # its services must not hold the pipe below
# Through a pipe: Python cannot use a file as its standard stream on Wine 8.
wine "$home/python.exe" -m whichlayer agent selftest --output "$work/selftest.json" </dev/null 2>&1 | cat >"$work/wine.log"
python3 - "$work/selftest.json" <<'P'
import json, sys
reads = {read["what"]: read for read in json.load(open(sys.argv[1]))["reads"]}
assert reads["presentation"]["answer"]["way"] == "WTSClientProtocolType, no Citrix agent", reads["presentation"]
failed = {what for what, read in reads.items() if read["error"]}
assert failed <= {"since logon"}, failed  # Wine does not answer WTSSessionInfo
P
wineserver -k || true
echo "the Windows agent loads and tests itself on Wine: $work/selftest.json"
