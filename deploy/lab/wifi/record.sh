#!/bin/sh
# Records what nl80211 says while a station associates, roams and loses its access point: real kernel, simulated radio
# (mac80211_hwsim), two access points (hostapd), WPA2. Runs in a virtual machine, since modules are needed that few
# hosts allow; the machine sees this file system read-only and has no network.
# usage: deploy/lab/wifi/record.sh PYTHON RECORDING.jsonl   (as root, for apt-get; about 2 min on two cores)
set -eu
python=$1
recording=$2
here=$(cd "$(dirname "$0")" && pwd)
for program in qemu-system-x86_64 hostapd wpa_supplicant wpa_cli busybox cpio depmod iw; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || missing="${missing:-} $program"
done
if [ -n "${missing:-}" ]; then
    echo "not recorded, missing:$missing" >&2
    echo "apt-get install --no-install-recommends qemu-system-x86 hostapd wpasupplicant iw cpio kmod busybox-static" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: linux-image-//p' | head -n 1)
(cd "$work" && apt-get download -q "linux-image-$version" >/dev/null && dpkg -x linux-image-*.deb kernel)
modules=$work/kernel/lib/modules/$version
root=$work/root
mkdir -p "$root/bin" "$root/m" "$root/proc" "$root/sys" "$root/dev" "$root/lo" "$root/ov" "$root/new"
cp "$(command -v busybox)" "$root/bin/busybox"
depmod -b "$work/kernel" "$version"
wanted="virtio_pci 9p 9pnet_virtio overlay mac80211_hwsim bridge ccm cmac gcm ctr aes_generic arc4 libarc4 llc stp"
number=100
for name in $wanted; do
    modprobe -d "$work/kernel" -S "$version" --show-depends "$name" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
done | awk '!seen[$0]++' | while read -r file; do
    number=$((number + 1))
    cp "$file" "$root/m/$number-$(basename "$file")"
done
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc p /proc; $b mount -t sysfs s /sys; $b mount -t devtmpfs d /dev
for m in /m/*; do case $m in *hwsim*) $b insmod $m radios=3;; *) $b insmod $m;; esac 2>/dev/null; done
$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose host /lo
$b mount -t tmpfs t /ov; $b mkdir -p /ov/u /ov/w
$b mount -t overlay -o lowerdir=/lo,upperdir=/ov/u,workdir=/ov/w o /new
for d in proc sys dev; do $b mkdir -p /new/$d; $b mount -o move /$d /new/$d; done
$b chroot /new /bin/sh $($b sed -n 's/.*guest=\([^ ]*\).*/\1/p' /new/proc/cmdline) \
    $($b sed -n 's/.*python=\([^ ]*\).*/\1/p' /new/proc/cmdline)
echo o >/new/proc/sysrq-trigger; $b sleep 9
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
timeout 540 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 1 -m 768 \
    -nographic -no-reboot -nodefaults -serial stdio -monitor none \
    -kernel "$work/kernel/boot/vmlinuz-$version" -initrd "$work/initrd.gz" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off guest=$here/guest.sh python=$python" \
    -fsdev local,id=h,path=/,security_model=none,readonly=on,multidevs=remap \
    -device virtio-9p-pci,fsdev=h,mount_tag=host >"$work/console" 2>&1 || true
tr -d '\r' <"$work/console" | sed -n 's/^RECORD //p' >"$work/recording"
tr -d '\r' <"$work/console" | grep -v '^RECORD ' >&2
[ "$(wc -l <"$work/recording")" -ge 5 ] || { echo "the recording is not whole" >&2; exit 1; }
cp "$work/recording" "$recording"
