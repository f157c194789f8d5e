# bkhost_add_plugin(NAME [NO_INSTALL] SOURCES files... [LIBRARIES targets...] [TESTS files...])
#
# Builds NAME.so: a module without "lib" prefix that exports bk_module_v0 and nothing else (visibility
# flags alone let C++ library templates through, so a version script decides), with every symbol
# resolved at link time. TESTS are compiled together with the sources into NAME_plugin_test, which also
# links the fakes of bkhost::testing. NO_INSTALL: a plugin for tests alone, built where it stands.
function(bkhost_add_plugin name)
  cmake_parse_arguments(ARG "NO_INSTALL" "" "SOURCES;LIBRARIES;TESTS" ${ARGN})
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/bk_module_v0.map)
  set(compiled ${name})
  if(BKHOST_TESTS AND ARG_TESTS) # compiled once for the plugin and for its test
    set(compiled ${name}_objects)
    add_library(${compiled} OBJECT ${ARG_SOURCES})
    set_target_properties(${compiled} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(${compiled} PRIVATE bkhost::sdk ${ARG_LIBRARIES})
    add_library(${name} MODULE $<TARGET_OBJECTS:${compiled}>)
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  else()
    add_library(${name} MODULE ${ARG_SOURCES})
  endif()
  set_target_properties(${compiled} PROPERTIES
    CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${compiled} PRIVATE
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  set_target_properties(${name} PROPERTIES PREFIX "" LINK_DEPENDS ${script})
  target_link_libraries(${name} PRIVATE bkhost::sdk ${ARG_LIBRARIES})
  if(NOT BKHOST_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  target_link_options(${name} PRIVATE
    -Wl,--exclude-libs,ALL -Wl,--version-script=${script})
  if(NOT ARG_NO_INSTALL)
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins-0)
    install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/bkhost/plugins-0)
  endif()
  if(BKHOST_TESTS AND ARG_TESTS)
    add_executable(${name}_plugin_test ${ARG_TESTS} $<TARGET_OBJECTS:${compiled}>)
    if(TARGET unit_tests)
      add_dependencies(unit_tests ${name}_plugin_test)
    endif()
    target_include_directories(${name}_plugin_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${name}_plugin_test PRIVATE
      bkhost::testing ${ARG_LIBRARIES} GTest::gtest_main GTest::gmock)
    gtest_discover_tests(${name}_plugin_test DISCOVERY_MODE PRE_TEST
      TEST_PREFIX "plugin_${name}." PROPERTIES TIMEOUT 120 LABELS unit)
  endif()
endfunction()
