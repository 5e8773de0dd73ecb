# What bin/up and bin/test need of the machine: Debian packages, and a virtualenv. Sourced by both, from the checkout's
# root, under `set -euo pipefail`.

export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
POLICY=/usr/sbin/policy-rc.d
POLICY_MARK="# Written by Haven while it installs packages; it removes this file afterwards."

die() {
    echo "haven: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Which of the named Debian packages are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

# apt must not start services: Haven runs its own processes. A policy that was there before stays as it is; one that
# an interrupted run of ours left is ours.
forbid_services() {
    if [ -e "$POLICY" ] && ! grep -qF "$POLICY_MARK" "$POLICY"; then return; fi
    trap allow_services EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
}

allow_services() {
    if [ -e "$POLICY" ] && grep -qF "$POLICY_MARK" "$POLICY"; then as_root rm -f "$POLICY"; fi
}

# Units of packages that were not there before are enabled by their installation; disable those, and no others.
disable_new_units() {
    command -v systemctl >/dev/null || return 0
    local package unit
    for package in $(comm -13 "$1" <(dpkg-query -W -f '${Package}\n' | sort)); do
        for unit in $(dpkg -L "$package" | sed -n 's#^\(/usr\)\?/lib/systemd/system/\([^/]*\.\(service\|socket\|timer\)\)$#\2#p'); do
            case "$unit" in *@.*) continue ;; esac
            as_root systemctl disable --quiet "$unit" >/dev/null 2>&1 || true
        done
    done
}

install_packages() {
    local missing before log
    missing=$(missing_packages "$@" | xargs)
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || die "this machine has no apt-get: install what Debian calls $missing, then try again."
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "packages are missing and there is no sudo: as root, run apt-get install $missing"
    echo "haven: installing $missing"
    before=$(mktemp)
    log=$(mktemp)
    dpkg-query -W -f '${Package}\n' | sort >"$before"
    forbid_services
    as_root apt-get update -qq >"$log" 2>&1 || true
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >>"$log" 2>&1; then
        tail -n 5 "$log" >&2
        die "apt-get could not install $missing (its whole output: $log)"
    fi
    disable_new_units "$before"
    allow_services
    trap - EXIT HUP INT TERM
    rm -f "$before" "$log"
}

# The interpreter to build the virtualenv with: PYTHON, or python3.
check_python() {
    local python=${PYTHON:-python3}
    command -v "$python" >/dev/null || die "there is no $python: install Python 3.11 or newer."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "Haven needs Python 3.11 or newer, and $python is $("$python" -c 'import platform; print(platform.python_version())'): set PYTHON to a newer one."
}

# .venv with the packages that the given file pins; nothing is done where nothing changed.
install_requirements() {
    local file=$1 python=${PYTHON:-python3} stamp=.venv/.$1.installed wanted
    wanted=$(cat requirements*.txt | sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x .venv/bin/python ] && return 0
    mkdir -p .venv || die "$PWD cannot be written: run this as its owner."
    (
        flock 9
        [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x .venv/bin/python ] && exit 0
        echo "haven: installing the Python packages of $file"
        [ -x .venv/bin/python ] || "$python" -m venv .venv
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$file"
        echo "$wanted" >"$stamp"
    ) 9>.venv/.lock || die "the packages of $file could not be installed."
}
