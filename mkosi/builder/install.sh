#!/bin/sh
# Installs the packages of a list, with apt, inside the builder's root. Usage: install.sh LIST
# Run by the target's own apt and dpkg, so that nothing of the host's versions decides what is chosen or in which order.
set -eu
umask 022
unset TMPDIR
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C.UTF-8 TZ=UTC
sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1" | xargs apt-get --yes --no-install-recommends --option Dpkg::Use-Pty=false install
