# Every public header compiles alone: one translation unit each, the kernels left to pantanal_kernels.
# The standard library is parsed once, beforehand: that a header includes what it uses of it is what tools/check_includes sees to.
# PANTANAL_BUILD_HEADER_CHECK=TOGETHER: one unit for all, with the headers' own kernels, which shows that another target's
# compiler takes them.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/include/*.hpp)
if(NOT PANTANAL_WITH_AUDIO)
  list(FILTER headers EXCLUDE REGEX "^pantanal/(audio|competition|stream)/")
endif()
find_path(PANTANAL_ZIP_INCLUDE_DIR zip.h)
if(NOT PANTANAL_ZIP_INCLUDE_DIR OR CMAKE_CROSSCOMPILING)
  list(FILTER headers EXCLUDE REGEX "npz|perch_cache")
endif()

set(units)
foreach(header ${headers})
  string(REPLACE "/" "_" unit ${header})
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/header_check/${unit}.cpp
    CONTENT "#include \"${header}\"\n#include \"${header}\"  // twice: the guard holds\n")
  list(APPEND units ${PROJECT_BINARY_DIR}/header_check/${unit}.cpp)
endforeach()
if(PANTANAL_BUILD_HEADER_CHECK STREQUAL "TOGETHER")
  list(TRANSFORM headers PREPEND "#include \"" OUTPUT_VARIABLE lines)
  list(TRANSFORM lines APPEND "\"\n")
  list(JOIN lines "" text)
  set(units ${PROJECT_BINARY_DIR}/header_check/every_header.cpp)
  file(CONFIGURE OUTPUT ${units} CONTENT "${text}")
endif()
add_library(pantanal_header_check OBJECT ${units})
if(NOT PANTANAL_BUILD_HEADER_CHECK STREQUAL "TOGETHER")
  target_link_libraries(pantanal_header_check PRIVATE pantanal_kernels)
  target_precompile_headers(pantanal_header_check PRIVATE <algorithm> <array> <atomic> <bit> <charconv> <chrono> <cmath> <filesystem>
    <fstream> <functional> <map> <memory> <mutex> <numeric> <optional> <random> <ranges> <set> <span> <sstream> <string>
    <thread> <unordered_map> <variant> <vector> <nlohmann/json.hpp>)
endif()
target_compile_options(pantanal_header_check PRIVATE -O0)  # only whether it compiles
target_link_libraries(pantanal_header_check PRIVATE pantanal_build_flags pantanal)
if(PANTANAL_WITH_AUDIO)
  target_link_libraries(pantanal_header_check PRIVATE pantanal_audio)
endif()
