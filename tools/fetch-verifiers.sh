#!/usr/bin/env bash
# usage: tools/fetch-verifiers.sh FOLDER
# Puts Debian's cosign 3, sigstore-go, Docker Compose 2 and promtool into FOLDER/bin without installing anything.
set -euo pipefail

say() { printf '%s\n' "bitwitness: $*" >&2; }

[ "$#" -eq 1 ] || { sed -n '2p' "$0" >&2; exit 64; }
folder=$(realpath -m "$1")

for suite in forky sid; do
  bash "$(dirname "$0")/fetch-packages.sh" "$folder" "$suite" cosign sigstore-go docker-compose promtool || continue
  rm -rf "$folder/bin"
  mkdir "$folder/bin"
  for program in bin/cosign bin/sigstore-go-verification bin/promtool libexec/docker/cli-plugins/docker-compose; do
    [ -x "$folder/unpacked/usr/$program" ] || { say "the package has no $program"; exit 1; }
    ln -s "../unpacked/usr/$program" "$folder/bin/${program##*/}"
  done
  exit 0
done
say "they could not be fetched; what apt said is in $folder/apt/log. Set COSIGN, SIGSTORE_GO and DOCKER_COMPOSE to programs of your own."
exit 1
