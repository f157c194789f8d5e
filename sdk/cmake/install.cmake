# Installation of the SDK, component "sdk": headers, CMake package, pkg-config file, template, guide.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/bkhost-sdk)
set(sdk_dir ${CMAKE_CURRENT_LIST_DIR}/..)

install(DIRECTORY ${sdk_dir}/include/bkhost ${sdk_dir}/testing/include/bkhost
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(TARGETS bkhost_sdk bkhost_testing EXPORT bkhost-sdk COMPONENT sdk)
install(EXPORT bkhost-sdk NAMESPACE bkhost:: FILE bkhost-sdk-targets.cmake
  DESTINATION ${package_dir} COMPONENT sdk)

# Major 0 is a draft: another minor is another ABI.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/bkhost-sdk-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/bkhost-sdk-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/bkhost-sdk-config.cmake INSTALL_DESTINATION ${package_dir})
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/bkhost-sdk-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/bkhost-sdk-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/BkhostAddPlugin.cmake
  ${CMAKE_CURRENT_LIST_DIR}/bk_module_v0.map
  DESTINATION ${package_dir} COMPONENT sdk)

# The way from the .pc file to the prefix, so that the tree may be moved.
file(RELATIVE_PATH BKHOST_PC_UP /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
configure_file(${CMAKE_CURRENT_LIST_DIR}/bkhost-sdk.pc.in
  ${CMAKE_CURRENT_BINARY_DIR}/bkhost-sdk.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bkhost-sdk.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)

install(FILES ${sdk_dir}/README.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bkhost/sdk COMPONENT sdk)
install(DIRECTORY ${sdk_dir}/template
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bkhost/sdk COMPONENT sdk)
