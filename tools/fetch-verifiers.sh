#!/usr/bin/env bash
# usage: tools/fetch-verifiers.sh FOLDER
# Puts Debian's cosign 3, sigstore-go, Docker Compose 2 and promtool into FOLDER/bin without installing anything: an apt of its own, with lists and settings below
# FOLDER, asks the archive that this system's apt is configured with for a newer suite (forky, then sid), checks the archive's signature
# with Debian's keyring, and the packages are unpacked. Needs no root.
set -euo pipefail

say() { printf '%s\n' "bitwitness: $*" >&2; }

[ "$#" -eq 1 ] || { sed -n '2p' "$0" >&2; exit 64; }
folder=$(realpath -m "$1")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

for program in apt-get dpkg; do
  command -v "$program" >/dev/null || { say "missing: $program. Set COSIGN and SIGSTORE_GO to programs of your own."; exit 1; }
done
[ -r "$keyring" ] || { say 'missing: the package debian-archive-keyring'; exit 1; }
# Of what apt is configured with, the archive itself: not its security or debug archives.
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/*$' || true)
[ -n "$archive" ] || { say 'apt is configured with no Debian archive. Set COSIGN and SIGSTORE_GO to programs of your own.'; exit 1; }

apt_dir=$folder/apt
mkdir -p "$apt_dir"/lists/partial "$apt_dir"/archives/partial "$apt_dir"/deb
: >"$apt_dir/status"
apt=(apt-get -q
  -o Dir::Etc::SourceList="$apt_dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
  -o Dir::State::Lists="$apt_dir/lists" -o Dir::State::status="$apt_dir/status"
  -o Dir::Cache="$apt_dir" -o Acquire::Retries=3 -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)")

fetch_from() {
  printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$1" >"$apt_dir/sources.list"
  # Errors fail, and so does an archive whose signature does not hold: apt only warns of either otherwise.
  "${apt[@]}" -o APT::Update::Error-Mode=any update >"$apt_dir/log" 2>&1 || return 1
  rm -f "$apt_dir"/deb/*.deb
  (cd "$apt_dir/deb" && "${apt[@]}" download cosign sigstore-go docker-compose promtool) >>"$apt_dir/log" 2>&1
}

for suite in forky sid; do
  say "fetching cosign, sigstore-go, docker-compose and promtool of Debian $suite"
  fetch_from "$suite" || continue
  rm -rf "$folder/unpacked" "$folder/bin"
  for package in "$apt_dir"/deb/*.deb; do dpkg -x "$package" "$folder/unpacked"; done
  mkdir "$folder/bin"
  for program in bin/cosign bin/sigstore-go-verification bin/promtool libexec/docker/cli-plugins/docker-compose; do
    [ -x "$folder/unpacked/usr/$program" ] || { say "the package has no $program"; exit 1; }
    ln -s "../unpacked/usr/$program" "$folder/bin/${program##*/}"
  done
  rm -rf "$apt_dir"
  exit 0
done
say "cosign, sigstore-go, docker-compose and promtool could not be fetched; what apt said is in $apt_dir/log"
exit 1
