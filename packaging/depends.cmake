# SPDX-License-Identifier: Apache-2.0
# Read by cpack before it packs: what the program links, as packages with the least versions that have its symbols. cpack
# can ask dpkg-shlibdeps by itself, but looks at each of five hundred files first to find the one program.
set(folder ${CPACK_RINGDOWN_OUT}/shlibdeps)
file(WRITE ${folder}/debian/control "Source: ringdown\n\nPackage: ringdown\nArchitecture: any\n")
execute_process(COMMAND dpkg-shlibdeps -O ${CPACK_RINGDOWN_PROGRAM} WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE depends
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "^.*shlibs:Depends=" "" depends "${depends}")
if(depends STREQUAL "")
    message(FATAL_ERROR "dpkg-shlibdeps says nothing of ${CPACK_RINGDOWN_PROGRAM}")
endif()
set(CPACK_DEBIAN_PACKAGE_DEPENDS "${CPACK_DEBIAN_PACKAGE_DEPENDS}, ${depends}")
