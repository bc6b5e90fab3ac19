#!/bin/sh
# Installs what the tests start: the distribution's Docker engine (its service is not started: the
# tests run engines of their own), a static busybox for images, openssl for certificates.
set -eu

missing=
need() { # COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
need dockerd docker.io
need docker docker.io
need busybox busybox-static
need openssl openssl
need zsh zsh
need fish fish
need ip iproute2
need unshare util-linux
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "tests: not installed here, and only root on Debian or Ubuntu can have it installed:$missing" >&2
  echo "tests: what needs an engine will be skipped" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
echo "tests: installing$missing" >&2
# A package's service would start a second engine on the host: policy-rc.d forbids it meanwhile.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
apt-get -qq install -y --no-install-recommends $missing >/dev/null 2>&1 || {
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends $missing >/dev/null
}
