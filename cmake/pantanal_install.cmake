# `cmake --install`: headers, kernels, libraries and a package that find_package(pantanal) finds.
include(CMakePackageConfigHelpers)

install(DIRECTORY include/pantanal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY kernels/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pantanal/kernels)

set(targets pantanal pantanal_kernels)
if(PANTANAL_WITH_AUDIO)
  list(APPEND targets pantanal_audio)
endif()
install(TARGETS ${targets} EXPORT pantanalTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pantanal)
install(EXPORT pantanalTargets NAMESPACE pantanal:: DESTINATION ${package_dir})
configure_package_config_file(cmake/pantanalConfig.cmake.in ${PROJECT_BINARY_DIR}/pantanalConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pantanalConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pantanalConfig.cmake ${PROJECT_BINARY_DIR}/pantanalConfigVersion.cmake
  DESTINATION ${package_dir})
