#!/usr/bin/env bash
# usage: tools/fetch-packages.sh FOLDER SUITE PACKAGE…
# Unpacks packages of a Debian suite into FOLDER/unpacked without installing anything: an apt of its own, with lists and settings below
# FOLDER, asks the archive that this system's apt is configured with, checks the archive's signature with Debian's keyring, and downloads
# just these, none of what they depend on. Needs no root. Fails where the suite lacks one of them; what apt said is in FOLDER/apt/log then.
set -euo pipefail

say() { printf '%s\n' "bitwitness: $*" >&2; }

[ "$#" -ge 3 ] || { sed -n '2p' "$0" >&2; exit 64; }
folder=$(realpath -m "$1")
suite=$2
shift 2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

for program in apt-get dpkg; do
  command -v "$program" >/dev/null || { say "missing: $program"; exit 1; }
done
[ -r "$keyring" ] || { say 'missing: the package debian-archive-keyring'; exit 1; }
# Of what apt is configured with, the archive itself: not its security or debug archives.
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/*$' || true)
[ -n "$archive" ] || { say 'apt is configured with no Debian archive'; exit 1; }

apt_dir=$folder/apt
mkdir -p "$apt_dir"/lists/partial "$apt_dir"/archives/partial "$apt_dir"/deb
: >"$apt_dir/status"
apt=(apt-get -q
  -o Dir::Etc::SourceList="$apt_dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
  -o Dir::State::Lists="$apt_dir/lists" -o Dir::State::status="$apt_dir/status"
  -o Dir::Cache="$apt_dir" -o Acquire::Retries=3 -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)")

say "fetching $* of Debian $suite"
printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$suite" >"$apt_dir/sources.list"
# Errors fail, and so does an archive whose signature does not hold: apt only warns of either otherwise.
"${apt[@]}" -o APT::Update::Error-Mode=any update >"$apt_dir/log" 2>&1
rm -f "$apt_dir"/deb/*.deb
(cd "$apt_dir/deb" && "${apt[@]}" download "$@") >>"$apt_dir/log" 2>&1
rm -rf "$folder/unpacked"
for package in "$apt_dir"/deb/*.deb; do dpkg -x "$package" "$folder/unpacked"; done
rm -rf "$apt_dir"
