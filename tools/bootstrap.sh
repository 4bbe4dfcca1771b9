# shellcheck shell=bash
# Brings a machine to where the Makefile's targets run. Sourced by .ci/run and by the Makefile's recipes:
#   . tools/bootstrap.sh && bootstrap node            Node of the pinned version and the npm packages
#   . tools/bootstrap.sh && bootstrap node docker     and the Docker engine with the programs that builds need
#   . tools/bootstrap.sh && bootstrap postgres        Debian's PostgreSQL server, of which no cluster is made or started: the tests start their own
#   . tools/bootstrap.sh && bootstrap cosign          Debian's cosign 3 and sigstore-go, below .tools, for the tests with other tools
#   . tools/bootstrap.sh && bootstrap lab             what real Sigstore servers need to be built and run, where BITWITNESS_LAB names them
# As root on a Debian system what is missing is installed, on a terminal only after asking (BITWITNESS_YES=1 or CI=true: without);
# elsewhere it is named and the target ends. Nothing is changed that is already there.

say() { printf '%s\n' "bitwitness: $*" >&2; }

# Programs that builds need, the file systems that tests build on and the registry that they push to, each with the Debian package that
# has it.
docker_programs='dockerd=docker.io mmdebstrap=mmdebstrap xz=xz-utils zstd=zstd git=git ip=iproute2 newuidmap=uidmap
mkfs.ext4=e2fsprogs mkfs.btrfs=btrfs-progs mkfs.xfs=xfsprogs
docker-registry=docker-registry htpasswd=apache2-utils openssl=openssl'

missing_packages() {
  local pair
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair%%=*}" ] || printf '%s ' "${pair#*=}"
  done
}

may_install() {
  [ "${CI:-}" = true ] || [ "${BITWITNESS_YES:-}" = 1 ] || ! [ -t 0 ] && return 0
  local answer
  read -r -p "bitwitness: install the Debian packages $* with apt-get? [y/N] " answer
  [ "$answer" = y ] || [ "$answer" = Y ]
}

install_packages() {
  [ "$#" -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    say "missing: $*. This is not a Debian system: install the programs with your package manager and run this again."
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    say "missing: $*. Install them as root: apt-get install --no-install-recommends $*"
    return 1
  fi
  may_install "$@" || { say "not installed; nothing was changed"; return 1; }
  say "installing $*"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

bootstrap_node() {
  # shellcheck disable=SC2046
  install_packages $(missing_packages npm=npm) || return 1
  # npm keeps the lock that it installed by in node_modules; a change of the project's lock makes it stale.
  if ! [ -x node_modules/node/bin/node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say 'installing the npm packages of package-lock.json'
    npm ci --no-audit --no-fund --loglevel=error || return 1
    touch node_modules/.package-lock.json
  fi
  export PATH="$PWD/node_modules/node/bin:$PATH"
  case "$(node -p process.versions.node)" in
    24.*) ;;
    *) say "node is $(node -p process.versions.node), not the pinned 24: remove node_modules and run npm ci, without --ignore-scripts"; return 1 ;;
  esac
}

bootstrap_docker() {
  if node tools/docker-engine.ts ping 2>/dev/null; then
    # An engine answers, here or at DOCKER_HOST: only the other programs are needed.
    # shellcheck disable=SC2046,SC2086
    install_packages $(missing_packages ${docker_programs#dockerd=docker.io }) || return 1
  else
    # shellcheck disable=SC2046,SC2086
    install_packages $(missing_packages $docker_programs) || return 1
    node tools/docker-engine.ts start || return 1
  fi
}

# Debian's package makes a cluster of the machine's own and starts it, unless it is told not to beforehand.
bootstrap_postgres() {
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && return 0
  install_packages postgresql-common || return 1
  local settings=/etc/postgresql-common/createcluster.d
  mkdir -p "$settings" && printf '%s\n' 'create_main_cluster = false' >"$settings/bitwitness.conf" || return 1
  install_packages postgresql
}

# COSIGN, SIGSTORE_GO, DOCKER_COMPOSE and PROMTOOL name programs of one's own; otherwise they are what is below .tools.
bootstrap_cosign() {
  local programs=.tools/verifiers/bin
  if [ -z "${COSIGN:-}" ] || [ -z "${SIGSTORE_GO:-}" ] || [ -z "${DOCKER_COMPOSE:-}" ] || [ -z "${PROMTOOL:-}" ]; then
    [ -x "$programs/cosign" ] && [ -x "$programs/sigstore-go-verification" ] && [ -x "$programs/docker-compose" ] && [ -x "$programs/promtool" ] ||
      bash tools/fetch-verifiers.sh .tools/verifiers || return 1
  fi
  export COSIGN="${COSIGN:-$PWD/$programs/cosign}" SIGSTORE_GO="${SIGSTORE_GO:-$PWD/$programs/sigstore-go-verification}"
  export DOCKER_COMPOSE="${DOCKER_COMPOSE:-$PWD/$programs/docker-compose}" PROMTOOL="${PROMTOOL:-$PWD/$programs/promtool}"
}

# BITWITNESS_LAB names a folder that builds and runs the servers (tools/sigstore-lab.ts). Where none is named, one that lies beside this
# checkout is taken, and where there is none either, the suite `lab` is skipped.
bootstrap_lab() {
  local beside=../shared/lab/sigstore
  if [ -z "${BITWITNESS_LAB:-}" ]; then
    [ -x "$beside/build-all.sh" ] && [ -x "$beside/stack.sh" ] || return 0
    export BITWITNESS_LAB="$PWD/$beside"
  fi
  # shellcheck disable=SC2046
  install_packages $(missing_packages curl=curl openssl=openssl)
}

bootstrap() {
  local part
  for part in "$@"; do "bootstrap_$part" || return 1; done
}
