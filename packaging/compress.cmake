# SPDX-License-Identifier: Apache-2.0
# Runs at installation: the manual and the changelogs, compressed where Debian looks for them. The same input gives the
# same bytes.
function(compress from to)
    get_filename_component(folder ${to} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    execute_process(COMMAND gzip -9nc ${from} OUTPUT_FILE ${to} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

compress(${package_out}/ringdown.1 ${package_man}/man1/ringdown.1.gz)
compress(${package_out}/ringdown.lua.5 ${package_man}/man5/ringdown.lua.5.gz)
compress(${package_source}/CHANGELOG.md ${package_doc}/NEWS.gz)

# Debian's own form of a changelog: which version this is, and when its source was last changed.
set(when "$ENV{SOURCE_DATE_EPOCH}")
if(when STREQUAL "")
    execute_process(COMMAND git -C ${package_source} log -1 --format=%ct OUTPUT_VARIABLE when ERROR_QUIET
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(when STREQUAL "")
    set(when 0)
endif()
execute_process(COMMAND date -u -R -d @${when} OUTPUT_VARIABLE when OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${package_out}/changelog "ringdown (${package_version}) unstable; urgency=medium

  * What changed is in NEWS.gz beside this file.

 -- Ringdown maintainers <maintainers@ringdown.invalid>  ${when}
")
compress(${package_out}/changelog ${package_doc}/changelog.gz)
