#!/bin/sh
# Makes a virtual environment with what a lock file names, and contui itself in it.
# usage: scripts/setup.sh VENV LOCKFILE
set -eu
venv=$1 lock=$2
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

python=${PYTHON:-}
if [ -z "$python" ]; then
  for each in python3 python3.13 python3.12 python3.11; do
    if "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$each
      break
    fi
  done
fi
[ -n "$python" ] || { echo "contui needs Python 3.11 or newer (PYTHON=/path/to/python make ...)" >&2; exit 1; }

if [ ! -x "$venv/bin/pip" ]; then
  # Debian keeps what venv needs in a package of its own.
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      echo "installing python3-venv" >&2
      apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3-venv >/dev/null
    else
      echo "Python's venv module is missing:  sudo apt-get install python3-venv" >&2
      exit 1
    fi
  fi
  rm -rf "$venv"
  "$python" -m venv "$venv"
fi
echo "installing $lock into $venv" >&2
"$venv/bin/pip" install --quiet --require-hashes -r "$lock"
"$venv/bin/pip" install --quiet --no-deps --editable .
