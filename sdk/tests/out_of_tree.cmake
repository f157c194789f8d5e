# Does what a stranger does: installs the SDK into an empty prefix, builds, tests and installs the
# template there, asks pkg-config, and finds that a plugin with an undefined symbol does not link. Run
# by CTest as
#     cmake -DBUILD=<build tree> -DROOT=<sdk> -DWORK=<directory> -DLIBDIR=lib -DGENERATOR=Ninja
#           -DSANITIZE=... -P out_of_tree.cmake
set(ENV{LC_ALL} C) # messages are compared below
file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)
set(libdir ${prefix}/${LIBDIR})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed (${result}): ${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(flags)
if(SANITIZE)
  set(flags -DBKHOST_SANITIZE=${SANITIZE} -DCMAKE_C_FLAGS=-fsanitize=${SANITIZE}
    -DCMAKE_CXX_FLAGS=-fsanitize=${SANITIZE})
endif()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component sdk)

# A copy, so that nothing of the tree around it is found by accident.
file(COPY ${prefix}/share/bkhost/sdk/template DESTINATION ${WORK})
run(${CMAKE_COMMAND} -S ${WORK}/template -B ${WORK}/build -G ${GENERATOR}
  -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_INSTALL_PREFIX=${prefix} -DCMAKE_INSTALL_LIBDIR=${LIBDIR}
  -DCMAKE_BUILD_TYPE=Release ${flags})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --no-tests=error --output-on-failure)
if(NOT output MATCHES "100% tests passed")
  message(FATAL_ERROR "the template's tests did not run:\n${output}")
endif()
run(${CMAKE_COMMAND} --install ${WORK}/build)
foreach(plugin memory null_mask)
  if(NOT EXISTS ${libdir}/bkhost/plugins-0/${plugin}.so)
    message(FATAL_ERROR "${plugin}.so was not installed")
  endif()
endforeach()

find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG)
  set(ENV{PKG_CONFIG_PATH} ${libdir}/pkgconfig)
  run(${PKG_CONFIG} --variable=abi_major bkhost-sdk)
  string(STRIP "${output}" major)
  run(${PKG_CONFIG} --variable=plugindir bkhost-sdk)
  string(STRIP "${output}" directory)
  if(NOT major STREQUAL "0" OR NOT EXISTS ${directory}/memory.so)
    message(FATAL_ERROR "pkg-config says major '${major}', plugindir '${directory}'")
  endif()
  run(${PKG_CONFIG} --cflags bkhost-sdk)
  separate_arguments(cflags UNIX_COMMAND "${output}")
  find_program(CC NAMES cc gcc clang REQUIRED)
  run(${CC} -std=c11 ${cflags} -shared -fPIC -Wl,-z,defs ${WORK}/template/null_mask.c
    -o ${WORK}/null_mask.so)
endif()

if(NOT SANITIZE) # the sanitizers leave their own symbols to the program, so -z defs is off
  run(${CMAKE_COMMAND} -S ${ROOT}/tests/undefined_symbol -B ${WORK}/undefined -G ${GENERATOR}
    -DCMAKE_PREFIX_PATH=${prefix})
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/undefined
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result EQUAL 0 OR NOT output MATCHES "undefined reference to `nobody_has_this'")
    message(FATAL_ERROR "a plugin with an undefined symbol was linked:\n${output}")
  endif()
endif()
file(REMOVE_RECURSE ${WORK})
