#!/bin/sh
# Process 1 of a node, started by node.ts in namespaces of its own: it makes the machine look as the components want
# it, and then turns into `pause`. When that ends, every process, mount, address and firewall rule of the node does.
#
#   node.sh DIR NAME PAUSE
set -eu
dir=$1 name=$2 pause=$3

read -r outside _ </proc/self/stat # the host's /proc is still mounted: this is who we are out there
mount --make-rshared /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run

# The kubelet wants these kernel settings, which belong to the whole machine. Here it finds them as it likes.
while read -r setting value; do
  file=$dir/run/$(echo "$setting" | tr / -)
  echo "$value" >"$file"
  mount --bind "$file" "/proc/sys/$setting"
done <<SETTINGS
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SETTINGS

# Paths that components insist on. The two empty folders stay on the host: another node may have mounted on them.
mkdir -p /var/lib/kubelet /var/lib/cni
mount --bind "$dir/kubelet" /var/lib/kubelet
mount --bind "$dir/cni-cache" /var/lib/cni
mount --bind "$dir/var-log" /var/log

for file in resolv.conf hosts; do
  target=$(realpath -m "/etc/$file") # may be a link into the /run we have just hidden
  mkdir -p "$(dirname "$target")"
  [ -e "$target" ] || : >"$target"
  mount --bind "$dir/conf/$file" "$target"
done

echo "$name" >/proc/sys/kernel/hostname
echo 1 >/proc/sys/net/ipv4/ip_forward
echo "$outside" >"$dir/run/pid.new"
mv "$dir/run/pid.new" "$dir/run/pid"
exec "$pause"
