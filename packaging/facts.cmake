# SPDX-License-Identifier: Apache-2.0
# Writes build_facts.c: cmake -DSOURCE=… -DOUT=… -DCOMPILER=… -DTYPE=… -DSANITIZERS=… -DCONSOLE=… -P facts.cmake
# The file is left alone when nothing in it changed. A tree that is not the top of a git repository is "not from git".
set(commit "")
if(EXISTS ${SOURCE}/.git)
    execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit ERROR_QUIET
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    execute_process(COMMAND git -C ${SOURCE} diff --quiet HEAD -- runtime scripts/ringdown sql CMakeLists.txt RESULT_VARIABLE
                    changed ERROR_QUIET)
    if(commit AND changed)
        string(APPEND commit "+")
    endif()
endif()

set(built "")
if(NOT "$ENV{SOURCE_DATE_EPOCH}" STREQUAL "")
    string(TIMESTAMP built "%Y-%m-%dT%H:%M:%SZ" UTC) # cmake takes it from SOURCE_DATE_EPOCH
endif()

set(console false)
if(CONSOLE)
    set(console true)
endif()

set(text "/* SPDX-License-Identifier: Apache-2.0 */
/* build_facts.c - written by packaging/facts.cmake. */
#include \"cli/build_facts.h\"

const struct build_facts build_facts = {
    .commit = \"${commit}\",
    .compiler = \"${COMPILER}\",
    .type = \"${TYPE}\",
    .sanitizers = \"${SANITIZERS}\",
    .built = \"${built}\",
    .console = ${console},
};
")
set(old "")
if(EXISTS ${OUT})
    file(READ ${OUT} old)
endif()
if(NOT old STREQUAL text)
    file(WRITE ${OUT} "${text}")
endif()
