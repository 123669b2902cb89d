# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` and `cpack -G DEB` put where. docs/packages.md has it for those who install it.
#
#   bin/ringdown                          the program, and no copy of it
#   share/ringdown/<version>/scripts,sql  what it reads: a folder for each version, so that a process which still has
#                                         calls never reads the files of the next
#   share/ringdown/agents,examples        to copy
#   share/{man,doc,bash-completion,...}   printed by the program itself, when it is built
#   /lib/systemd/system, /usr/lib/sysusers.d, /etc/ringdown    of the package only
#
# The manual and the completions are made at each build of the program, of which none can be older then.
include(GNUInstallDirs)
set(package_here ${CMAKE_SOURCE_DIR}/packaging)
set(package_out ${CMAKE_BINARY_DIR}/package)
set(package_share ${CMAKE_INSTALL_DATADIR}/ringdown)
file(MAKE_DIRECTORY ${package_out})

# --- made of the program -------------------------------------------------------------------------

set(printed "")
macro(rd_printed file)
    add_custom_command(OUTPUT ${package_out}/${file}
        COMMAND sh -c "out=$1 && shift && \"$@\" >$out" print ${package_out}/${file} $<TARGET_FILE:ringdown> ${ARGN}
        DEPENDS ringdown VERBATIM)
    list(APPEND printed ${package_out}/${file})
endmacro()
rd_printed(ringdown.1 man)
rd_printed(ringdown.lua.5 man configuration)
rd_printed(ringdown.bash completion bash)
rd_printed(_ringdown completion zsh)
rd_printed(ringdown.fish completion fish)
find_program(LUA54 lua5.4 REQUIRED)
add_custom_command(OUTPUT ${package_out}/sbom.cdx.json
    COMMAND sh -c "${LUA54} scripts/sbom \"$1\" >\"$2\"" sbom $<TARGET_FILE:ringdown> ${package_out}/sbom.cdx.json
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} VERBATIM
    DEPENDS ringdown ${CMAKE_SOURCE_DIR}/scripts/sbom ${CMAKE_SOURCE_DIR}/runtime/console/package-lock.json)
list(APPEND printed ${package_out}/sbom.cdx.json)

# Part of a whole build where that costs little; a package wants the targets ringdown and package_printed.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
if(RD_SANITIZE OR RD_COVERAGE)
    add_custom_target(package_printed DEPENDS ${printed})
else()
    add_custom_target(package_printed ALL DEPENDS ${printed})
endif()

# --- adapted to their places ---------------------------------------------------------------------

foreach(unit ringdown.service ringdown.socket ringdown@.service ringdown@.socket)
    file(READ ${CMAKE_SOURCE_DIR}/examples/systemd/${unit} text)
    string(REPLACE "/opt/ringdown/current/bin/ringdown" "/usr/bin/ringdown" text "${text}")
    file(CONFIGURE OUTPUT ${package_out}/systemd/${unit} CONTENT "${text}" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/systemd/${unit})
endforeach()

file(READ ${CMAKE_SOURCE_DIR}/examples/ringdown.lua text)
string(REPLACE "  -- data = \"./var\",                     " "  data = \"/var/lib/ringdown\",            " text "${text}")
string(REPLACE "path = \"./agents\",                    " "path = \"/etc/ringdown/agents\",        " text "${text}")
file(CONFIGURE OUTPUT ${package_out}/ringdown.lua CONTENT "${text}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/ringdown.lua)

# --- into its places -----------------------------------------------------------------------------

# Names of functions stay: a report of a crash reads them out of the program. What gdb alone needs goes.
install(TARGETS ringdown RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(CODE "execute_process(COMMAND strip --strip-debug --remove-section=.comment
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/ringdown\" COMMAND_ERROR_IS_FATAL ANY)")
install(DIRECTORY scripts/ringdown DESTINATION ${package_share}/${PROJECT_VERSION}/scripts)
install(DIRECTORY sql DESTINATION ${package_share}/${PROJECT_VERSION})
install(DIRECTORY agents DESTINATION ${package_share})
install(DIRECTORY examples DESTINATION ${package_share}
    PATTERN node_modules EXCLUDE PATTERN build EXCLUDE PATTERN write.js EXCLUDE
    PATTERN secrets EXCLUDE REGEX "docker/agents" EXCLUDE) # what somebody who tried them has put there
install(FILES ${package_out}/ringdown.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ringdown)
install(FILES ${package_out}/_ringdown DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${package_out}/ringdown.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN "*.md" PATTERN "openapi.yaml")
install(FILES ${package_out}/sbom.cdx.json DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md ${package_here}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Compressed as Debian wants it, without a name or a time in the archives.
install(CODE "set(package_out \"${package_out}\")
    set(package_man \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}\")
    set(package_doc \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
    set(package_source \"${CMAKE_SOURCE_DIR}\")
    set(package_version \"${PROJECT_VERSION}\")
    include(\"${package_here}/compress.cmake\")")

# Only the package has these: `cmake --install` alone leaves /etc and systemd as they are.
install(DIRECTORY ${package_out}/systemd/ DESTINATION /lib/systemd/system COMPONENT system EXCLUDE_FROM_ALL)
install(FILES ${package_here}/ringdown.sysusers DESTINATION /usr/lib/sysusers.d RENAME ringdown.conf
    COMPONENT system EXCLUDE_FROM_ALL)
install(FILES ${package_out}/ringdown.lua DESTINATION /etc/ringdown COMPONENT system EXCLUDE_FROM_ALL)
install(FILES ${package_here}/environment DESTINATION /etc/ringdown PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ
    COMPONENT system EXCLUDE_FROM_ALL)
install(DIRECTORY DESTINATION /etc/ringdown/agents COMPONENT system EXCLUDE_FROM_ALL)
install(FILES ${package_here}/lintian-overrides DESTINATION /usr/share/lintian/overrides RENAME ringdown
    COMPONENT system EXCLUDE_FROM_ALL)

# --- the package ---------------------------------------------------------------------------------

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ringdown)
set(CPACK_PACKAGE_CONTACT "Ringdown maintainers <maintainers@ringdown.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "answers phone calls with AI agents written in Lua")
set(CPACK_PACKAGE_DESCRIPTION "A C runtime between Twilio's media streams and OpenAI Realtime or Vapi:
it carries the sound, stops talking when the caller cuts in, and keeps what
was said and done in PostgreSQL. A Lua file per agent says who answers and
what it may do.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # what has a place of its own goes into the package, not into this machine
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};ringdown;ALL;/;${CMAKE_BINARY_DIR};ringdown;system;/")
set(CPACK_STRIP_FILES OFF)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_PROJECT_CONFIG_FILE ${package_here}/depends.cmake)
set(CPACK_RINGDOWN_OUT ${package_out})
set(CPACK_RINGDOWN_PROGRAM ${CMAKE_BINARY_DIR}/ringdown)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, ca-certificates, tzdata")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql-15")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "espeak-ng, asterisk-core-sounds-en-wav, haproxy")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${package_here}/conffiles ${package_here}/postinst ${package_here}/prerm
    ${package_here}/postrm)
include(CPack)
