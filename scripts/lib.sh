# SPDX-License-Identifier: Apache-2.0
# lib.sh - what setup, test and demo share. Sourced, never run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Colours only where a person is looking.
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
    BOLD='' DIM='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s\n' "${BOLD}==>${PLAIN} $*"; }
note() { printf '    %s\n' "$*"; }
fail() {
    printf '%s\n' "${RED}error:${PLAIN} $*" >&2
    exit 1
}

# The text between "usage" and the first line of code, as --help.
help_of() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1" | sed '/^SPDX/d'; }

cpus() { nproc 2>/dev/null || echo 2; }

# Files of the tree that match the given globs: tracked ones and new ones, never what git ignores.
sources() {
    if git -C "$ROOT" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$ROOT" ls-files -co --exclude-standard -- "$@" 2>/dev/null
    else
        (cd "$ROOT" && local glob && for glob in "$@"; do
            find . -path ./build -prune -o -name node_modules -prune -o -type f -name "$glob" -print
        done | sed 's|^\./||')
    fi | sort -u
}
