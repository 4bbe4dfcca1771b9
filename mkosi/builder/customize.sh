#!/bin/sh
# Turns an installed Debian into a builder. Runs as root inside the builder's root, after install.sh, with SOURCE_DATE_EPOCH set.
# Equal packages must give equal bytes: whatever depends on host, clock, mirror or order is written anew or removed.
set -eu
umask 022
: "${SOURCE_DATE_EPOCH:?}"
ours=/usr/lib/bitwitness

# The build runs as this user, in a user namespace of its own with a full range of ids: image files keep their owners.
echo 'builder:x:1000:1000:builder:/work/home:/usr/sbin/nologin' >>/etc/passwd
echo 'builder:x:1000:' >>/etc/group
echo 'builder:!:20000::::::' >>/etc/shadow
echo 'builder:!::' >>/etc/gshadow
echo 'builder:100000:65536' >/etc/subuid
echo 'builder:100000:65536' >/etc/subgid

# Where an attempt's workspace is mounted; a fresh volume takes its owner from here.
install -d -o 1000 -g 1000 -m 0755 /work

chown root:root "$ours" "$ours/agent.py"
chmod 0755 "$ours" "$ours/agent.py"

# A setuid-root newuidmap fails without CAP_SYS_ADMIN in the bounding set; these two capabilities are all that it needs.
find / -xdev -path /dev -prune -o ! -type l -perm /6000 -exec chmod ug-s {} +
setcap cap_setuid+ep /usr/bin/newuidmap
setcap cap_setgid+ep /usr/bin/newgidmap

# No mirror, no host. An engine that builds from the Dockerfile mounts these names and lets nobody remove them.
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/99* /etc/apt/preferences.d/* /etc/dpkg/dpkg.cfg.d/99*
for name in hostname hosts resolv.conf; do rm -f "/etc/$name" 2>/dev/null || true; done
[ -e /etc/hostname ] || echo builder >/etc/hostname
[ -e /etc/resolv.conf ] || : >/etc/resolv.conf
: >/etc/machine-id

# Caches, logs, locks and backups.
rm -rf /var/lib/apt/lists/* /var/lib/apt/extended_states /var/lib/apt/periodic /var/cache/apt/* /var/cache/ldconfig/* \
  /var/cache/debconf/* /var/cache/man /var/lib/dpkg/*-old /var/lib/dpkg/lock* /var/lib/dpkg/triggers/Lock \
  /var/lib/systemd/catalog/database /var/lib/dbus/machine-id /etc/.pwd.lock /etc/*- /root/.??*
find /var/log -type f -delete

# What no build reads; licences stay.
rm -rf /usr/share/man /usr/share/info /usr/share/locale /usr/share/bug /usr/share/lintian /usr/lib/udev/hwdb.d
find /usr/share/doc -type f ! -name copyright -delete
find /usr/share/doc -type l ! -exec test -e {} ';' -delete
find /usr/share/doc -depth -type d -empty -delete

dpkg-query --show --showformat='${Package}\t${Version}\t${Architecture}\n' | LC_ALL=C sort >"$ours/packages"
rm -f "$ours"/*.sh "$ours"/*.packages

# A folder's time tells which tool made it first.
find / -xdev \( -path /dev -o -path /proc -o -path /sys \) -prune -o -type d -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
