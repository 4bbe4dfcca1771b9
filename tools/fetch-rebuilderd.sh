#!/usr/bin/env bash
# usage: tools/fetch-rebuilderd.sh FOLDER
# Puts Debian's rebuilderd, with the libraries that it was built for, into FOLDER without installing anything; FOLDER/rebuilderd runs it.
set -euo pipefail

[ "$#" -eq 1 ] || { sed -n '2p' "$0" >&2; exit 64; }
folder=$(realpath -m "$1")

for suite in forky sid; do
  bash "$(dirname "$0")/fetch-packages.sh" "$folder" "$suite" rebuilderd libc6 libgcc-s1 libsqlite3-0 libzstd1 || continue
  libraries=$folder/unpacked/usr/lib/$(uname -m)-linux-gnu
  loader=$(echo "$libraries"/ld-linux-*.so.*)
  [ -x "$folder/unpacked/usr/bin/rebuilderd" ] && [ -x "$loader" ] || exit 1
  printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$loader" "$libraries" "$folder/unpacked/usr/bin/rebuilderd" >"$folder/rebuilderd.new"
  chmod 755 "$folder/rebuilderd.new"
  mv "$folder/rebuilderd.new" "$folder/rebuilderd"
  exit 0
done
printf '%s\n' "bitwitness: rebuilderd could not be fetched; what apt said is in $folder/apt/log" >&2
exit 1
