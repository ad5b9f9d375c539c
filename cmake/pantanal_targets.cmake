# The library's INTERFACE targets, and `pantanal_build_flags`: what every binary built in this tree is compiled with.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(Threads REQUIRED)

# The headers see the kernels as <pantanal/kernels/...>, in this tree as when installed.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/pantanal)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernels ${PROJECT_BINARY_DIR}/include/pantanal/kernels SYMBOLIC)

add_library(pantanal INTERFACE)
add_library(pantanal::pantanal ALIAS pantanal)
target_compile_features(pantanal INTERFACE cxx_std_20)
target_include_directories(pantanal INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(pantanal INTERFACE Eigen3::Eigen nlohmann_json::nlohmann_json Threads::Threads)
if(PANTANAL_WITH_OPENMP)
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  target_link_libraries(pantanal INTERFACE OpenMP::OpenMP_CXX)
endif()
if(PANTANAL_LIGHTGBM)
  find_library(PANTANAL_LIGHTGBM_LIBRARY NAMES _lightgbm PATH_SUFFIXES lightgbm/lib)
  if(NOT PANTANAL_LIGHTGBM_LIBRARY)
    message(FATAL_ERROR "PANTANAL_LIGHTGBM is ON, but there is no lib_lightgbm.so. `pip install lightgbm` brings one: "
      "-DCMAKE_PREFIX_PATH=$(python -c 'import lightgbm, os; print(os.path.dirname(lightgbm.__file__))')")
  endif()
  target_compile_definitions(pantanal INTERFACE PANTANAL_LIGHTGBM)
  # Only what trains or predicts with it loads it.
  target_link_libraries(pantanal INTERFACE -Wl,--as-needed ${PANTANAL_LIGHTGBM_LIBRARY})
endif()

add_library(pantanal_build_flags INTERFACE)
# -Wrestrict is off: GCC 12 reports it falsely for `"text" + std::string` (PR105651).
target_compile_options(pantanal_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(pantanal_build_flags INTERFACE -Wno-restrict -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(pantanal_build_flags INTERFACE -march=x86-64-v2)
endif()
if(PANTANAL_SANITIZE)
  add_compile_options(-fsanitize=${PANTANAL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PANTANAL_SANITIZE})
endif()
if(PANTANAL_LIBFUZZER)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# pantanal_unity(TARGET FILES) compiles so many of a target's files as one unit, 0: all. They include and instantiate much the
# same, so that this is several times as fast.
function(pantanal_unity target files)
  # A file's locals may be called as another file's constants.
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${PANTANAL_UNITY} UNITY_BUILD_BATCH_SIZE ${files}
    UNITY_BUILD_CODE_BEFORE_INCLUDE "#pragma GCC diagnostic ignored \"-Wshadow\"")
endfunction()
