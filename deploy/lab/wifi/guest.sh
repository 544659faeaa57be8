# Inside the virtual machine: two access points of one network on wlan0 and wlan2, a station on wlan1 in a namespace.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
python=$1
here=$(dirname "$0")
mount -t tmpfs t /run
mount -t tmpfs t /tmp
mkdir -p /run/netns
ip link add br0 type bridge
ip addr add 10.79.0.1/24 dev br0
ip link set br0 up
for i in 0 2; do
    cat >/run/ap$i.conf <<X
interface=wlan$i
driver=nl80211
ssid=lab
hw_mode=g
channel=$((i * 2 + 1))
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=labpassword
ctrl_interface=/run/hostapd
bridge=br0
X
done
ip netns add sta
iw phy phy1 set netns name sta
for i in 0 2; do hostapd -B -P /run/hp$i.pid /run/ap$i.conf >/run/hp$i.log 2>&1 || cat /run/hp$i.log; done
cat >/run/sta.conf <<X
ctrl_interface=/run/wpa
network={
 ssid="lab"
 psk="labpassword"
 scan_freq=2412 2432
}
X
ip -n sta link set lo up
ip -n sta addr add 10.79.0.2/24 dev wlan1
ip netns exec sta wpa_supplicant -B -i wlan1 -c /run/sta.conf >/run/wpa.log 2>&1
cd "$here/../../.." && ip netns exec sta "$python" -m deploy.lab.wifi.recorder
