# `cmake --install`: headers, kernels, libraries and a package that find_package(pantanal) finds.
include(CMakePackageConfigHelpers)

install(DIRECTORY include/pantanal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY kernels/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pantanal/kernels)

set(targets pantanal pantanal_kernels pantanal_c_shared pantanal_c_static)
if(PANTANAL_WITH_AUDIO)
  list(APPEND targets pantanal_audio)
endif()
install(TARGETS ${targets} EXPORT pantanalTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pantanal)
install(EXPORT pantanalTargets NAMESPACE pantanal:: DESTINATION ${package_dir})
configure_package_config_file(cmake/pantanalConfig.cmake.in ${PROJECT_BINARY_DIR}/pantanalConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pantanalConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pantanalConfig.cmake ${PROJECT_BINARY_DIR}/pantanalConfigVersion.cmake
  DESTINATION ${package_dir})

# For C programs: pkg-config.
set(PANTANAL_PRIVATE_LIBRARIES "-lstdc++ -lm -lpthread")
if(PANTANAL_WITH_AUDIO)
  string(PREPEND PANTANAL_PRIVATE_LIBRARIES "-lsoxr ")
endif()
file(RELATIVE_PATH PANTANAL_LIBDIR_TO_INCLUDEDIR ${CMAKE_INSTALL_FULL_LIBDIR} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/pantanal.pc.in ${PROJECT_BINARY_DIR}/pantanal.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/pantanal.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
