# SPDX-License-Identifier: Apache-2.0
# failures.sh - what went wrong in a stage, short enough to be read far away, where the logs are not. Sourced by test.
#
#   failures_of STAGE LOG    which test, file and line, its words; the end of the log when nothing is recognised
#   names_of STAGE LOG       a line for each
# shellcheck shell=bash

FAILURE_LINES=60  # of one test
FAILURES_LINES=400 # of a stage

# ctest: each failing test with the end of what it printed, without what went well in it.
ctest_failures() {
    awk -v most="$FAILURE_LINES" '
        function flush(   i) {
            if (!inside) return
            for (i = (n > most ? n - most + 1 : 1); i <= n; i++) print "    " kept[i]
            inside = n = 0
        }
        /^ *[0-9]+\/[0-9]+ Test +#[0-9]+:/ { flush(); if (/\*\*\*/) { inside = 1; print } next }
        /^ *Start +[0-9]+:|tests passed, [0-9]+ tests? failed/ { if (/tests passed/) flush(); next }
        inside && !/^\[ *(RUN|OK) *\]|^ *$/ { kept[++n] = $0 }' "$1"
}

# busted: its blocks "Failure -> file @ line" and "Error -> …". "--- …" begins the output of another process; one that
# ended without a block was killed, or did not begin.
busted_failures() {
    awk -v most="$FAILURE_LINES" '
        function end_of_part() { if (bad && !blocks) for (i = (n > 30 ? n - 29 : 1); i <= n; i++) print "    " kept[i] }
        /^--- / { end_of_part(); inside = blocks = n = 0; bad = !/exit 0$/; if (bad) print; next }
        /^(Failure|Error) -> / { inside = 1; lines = 0; blocks++ }
        inside && /^[-+.*]+$/ { inside = 0 }
        inside && lines++ < most { print "    " $0; next }
        !inside && !/^[-+.*]*$/ { kept[++n] = substr($0, 1, 400) }
        END { end_of_part() }' "$1"
}

# Compilers, linkers, clang-format, clang-tidy, luacheck: the lines with an error, and the two behind each.
compiler_failures() {
    grep -aE -A2 'error|FAILED|warning|undefined reference|\.lua:[0-9]+:[0-9]+:|syntax' "$1" | grep -av '^--$'
}

sanitizer_failures() {
    awk -v most="$FAILURE_LINES" '
        /ERROR: (Address|Leak|Undefined|Memory)|WARNING: ThreadSanitizer|runtime error:|ERROR: libFuzzer/ { left = most }
        /Test unit written to|^SUMMARY: / { print "    " $0 }
        left > 0 { print "    " $0; left-- }' "$1"
}

# vitest: its blocks " FAIL  file > test", without colours.
vitest_failures() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | awk -v most="$FAILURE_LINES" '
        /^ FAIL  / { inside = 1; lines = 0 }
        /^ Test Files  / { inside = 0 }
        inside && !/^[⎯ ]*$/ && lines++ < most { print "    " $0 }'
}

failures_of() {
    local stage=$1 log=$2 found
    found=$({
        ctest_failures "$log"
        busted_failures "$log"
        case $stage in
        build | format | tidy | tsan | fuzz) compiler_failures "$log" ;;
        console) vitest_failures "$log" ;;
        esac
        sanitizer_failures "$log"
    } | cut -c1-600 | head -n "$FAILURES_LINES")
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
    else
        tail -n 80 "$log" | cut -c1-600
    fi
}

names_of() {
    local stage=$1 log=$2 found
    found=$({
        sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) .*\*\*\*(.*[^ ]) +[0-9.]+ sec.*/\1 (\2)/p' "$log"
        awk '/^(Failure|Error) -> / { at = $3 ":" $5; getline; print at " " $0 }' "$log"
        grep -aoE '^[^ :]+\.[ch]:[0-9]+:[0-9]+: (fatal )?error: .*' "$log" | head -10
        grep -aE '^SUMMARY: ' "$log" | sort -u
        grep -aoE '^ FAIL  .*' "$log"
    } | cut -c1-200 | head -40)
    printf '%s\n' "${found:-see build/test/$stage.log}"
}
