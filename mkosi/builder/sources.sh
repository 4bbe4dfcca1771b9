#!/bin/sh
# Sources of apt for the Dockerfile. Usage: sources.sh DEBIAN SECURITY, each the root of an archive or empty.
# Every source is signed by Debian's keyring. Without DEBIAN the sources that are there stay.
set -eu
umask 022
[ -n "$1" ] || exit 0
. /etc/os-release
source() {
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n' "$1" "$2"
}
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
{
  source "$1" "$VERSION_CODENAME $VERSION_CODENAME-updates"
  [ -z "$2" ] || source "$2" "$VERSION_CODENAME-security"
} >/etc/apt/sources.list.d/builder.sources
