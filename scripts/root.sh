# SPDX-License-Identifier: Apache-2.0
# root.sh - a clean Debian 12 in a folder, for what must work on a machine where nothing of ours is. Sourced, never run.
#
#   root_base          build/test/root/bookworm.tar: made by debootstrap the first time, then kept
#   root_new NAME      a new one of it in $ROOT_AT
#   root_run COMMAND   in there, with processes and mounts of its own that end with it; packages that were fetched stay
#                      in build/test/root/archives
#   root_gone          removes it
# shellcheck shell=bash

ROOTS=$ROOT/build/test/root
ROOT_MIRROR=${ROOT_MIRROR:-http://deb.debian.org/debian}

root_base() {
    [ "$(id -u)" -eq 0 ] || fail "a root of its own takes root's rights"
    command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
    mkdir -p "$ROOTS/archives/partial"
    if [ ! -f "$ROOTS/bookworm.tar" ]; then
        note "fetching it (debootstrap, once)"
        rm -rf "$ROOTS/base"
        debootstrap --variant=minbase --include=ca-certificates bookworm "$ROOTS/base" "$ROOT_MIRROR" >"$ROOTS/debootstrap.log" 2>&1 ||
            { tail -n 5 "$ROOTS/debootstrap.log" >&2 && fail "debootstrap failed; $ROOTS/debootstrap.log says why"; }
        rm -f "$ROOTS/base/var/cache/apt/archives"/*.deb
        tar -C "$ROOTS/base" -cf "$ROOTS/bookworm.tar.part" . && mv "$ROOTS/bookworm.tar.part" "$ROOTS/bookworm.tar"
        rm -rf "$ROOTS/base"
    fi
}

root_new() {
    ROOT_AT=$ROOTS/$1
    root_gone
    mkdir -p "$ROOT_AT"
    tar -C "$ROOT_AT" -xf "$ROOTS/bookworm.tar"
    cp /etc/resolv.conf "$ROOT_AT/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$ROOT_AT/usr/sbin/policy-rc.d" # packages start nothing here
    chmod +x "$ROOT_AT/usr/sbin/policy-rc.d"
    # A network that opens TLS has an authority of its own, which this machine was told of.
    if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
        cp /usr/local/share/ca-certificates/*.crt "$ROOT_AT/usr/local/share/ca-certificates/"
        root_run update-ca-certificates >/dev/null
    fi
}

root_run() {
    ROOT_AT=$ROOT_AT ROOTS=$ROOTS unshare --mount --pid --fork --kill-child bash -c '
        set -e
        mount -t proc proc "$ROOT_AT/proc"
        mount --rbind /dev "$ROOT_AT/dev"
        mount --bind "$ROOTS/archives" "$ROOT_AT/var/cache/apt/archives"
        exec chroot "$ROOT_AT" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
            NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt DEBIAN_FRONTEND=noninteractive "$@"' root_run "$@" </dev/null
}

root_gone() {
    [ ! -e "$ROOT_AT/proc/self" ] || fail "$ROOT_AT is still mounted"
    rm -rf --one-file-system "$ROOT_AT"
}
