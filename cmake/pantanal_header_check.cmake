# Every public header compiles alone: one translation unit each, the kernels left to pantanal_kernels.
# The standard library is parsed once, beforehand: that a header includes what it uses of it is what tools/check_includes sees to.
# So is nlohmann/json, in a target of its own, since it costs every unit that has it half a second even where it is not used.
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

# pantanal_headers_with_json(OUT HEADER...): those that reach nlohmann/json through what they include.
function(pantanal_headers_with_json out)
  foreach(header ${ARGN})
    file(STRINGS ${PROJECT_SOURCE_DIR}/include/${header} lines REGEX "^#include [\"<](pantanal|nlohmann)/")
    set(lines_of_${header} "${lines}")
  endforeach()
  set(pattern "nlohmann/json")
  set(found)
  set(before "none yet")
  while(NOT found STREQUAL before)
    set(before "${found}")
    set(found)
    foreach(header ${ARGN})
      if(lines_of_${header} MATCHES "${pattern}")
        list(APPEND found ${header})
      endif()
    endforeach()
    list(JOIN found "|" names)
    set(pattern "nlohmann/json|[\"](${names})[\"]")
  endwhile()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# pantanal_add_header_check(TARGET UNIT...): an object library of units which must compile.
function(pantanal_add_header_check target)
  add_library(${target} OBJECT ${ARGN})
  target_compile_options(${target} PRIVATE -O0)  # only whether it compiles
  target_link_libraries(${target} PRIVATE pantanal_build_flags pantanal)
  if(PANTANAL_WITH_AUDIO)
    target_link_libraries(${target} PRIVATE pantanal_audio)
  endif()
endfunction()

if(PANTANAL_BUILD_HEADER_CHECK STREQUAL "TOGETHER")
  list(TRANSFORM headers PREPEND "#include \"" OUTPUT_VARIABLE lines)
  list(TRANSFORM lines APPEND "\"\n")
  list(JOIN lines "" text)
  set(unit ${PROJECT_BINARY_DIR}/header_check/every_header.cpp)
  file(CONFIGURE OUTPUT ${unit} CONTENT "${text}")
  pantanal_add_header_check(pantanal_header_check ${unit})
  return()
endif()

pantanal_headers_with_json(with_json ${headers})
foreach(header ${headers})
  string(REPLACE "/" "_" unit ${header})
  set(unit ${PROJECT_BINARY_DIR}/header_check/${unit}.cpp)
  file(CONFIGURE OUTPUT ${unit}
    CONTENT "#include \"${header}\"\n#include \"${header}\"  // twice: the guard holds\n")
  if(header IN_LIST with_json)
    list(APPEND units_with_json ${unit})
  else()
    list(APPEND units ${unit})
  endif()
endforeach()
pantanal_add_header_check(pantanal_header_check_json ${units_with_json})
pantanal_add_header_check(pantanal_header_check ${units})

set(standard <algorithm> <array> <atomic> <bit> <charconv> <chrono> <cmath> <filesystem> <fstream> <functional> <map> <memory> <mutex>
  <numeric> <optional> <random> <ranges> <set> <span> <sstream> <string> <thread> <unordered_map> <variant> <vector>)
target_precompile_headers(pantanal_header_check PRIVATE ${standard})
target_precompile_headers(pantanal_header_check_json PRIVATE ${standard} <nlohmann/json.hpp>)
target_link_libraries(pantanal_header_check PRIVATE pantanal_kernels)
target_link_libraries(pantanal_header_check_json PRIVATE pantanal_kernels)
