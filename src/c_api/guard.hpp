// What every function of the C interface is wrapped in: errors become a status and a message, and nothing is
// thrown.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>

#include "pantanal/core/result.hpp"
#include "pantanal/pantanal.h"

namespace pantanal::c_api {

inline constexpr std::size_t longest_error = 1023;

/// The calling thread's last message. Of fixed size, so that running out of memory can be reported.
inline char* last_error() {
  static thread_local char text[longest_error + 1];
  return text;
}

/// As many of the first `most` bytes of `text` as are whole UTF-8 characters.
inline std::string_view whole_characters(std::string_view text, std::size_t most) {
  const auto is_inside = [&](std::size_t i) { return (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80; };
  std::size_t size = std::min(most, text.size());
  for (int i = 0; i < 3 && size > 0 && size < text.size() && is_inside(size); ++i) --size;
  return text.substr(0, size);
}

/// Keeps the message; the end of one that is too long becomes "...".
inline pantanal_status fail(pantanal_status status, std::string_view message) {
  constexpr std::string_view more = "...";
  const bool fits = message.size() <= longest_error;
  const std::string_view kept = fits ? message : whole_characters(message, longest_error - more.size());
  char* const end = std::ranges::copy(kept, last_error()).out;
  *std::ranges::copy(fits ? std::string_view() : more, end).out = '\0';
  return status;
}

inline pantanal_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return PANTANAL_INVALID_ARGUMENT;
    case ErrorCode::not_found:
      return PANTANAL_NOT_FOUND;
    case ErrorCode::io:
      return PANTANAL_IO;
    case ErrorCode::corrupt:
      return PANTANAL_CORRUPT;
    case ErrorCode::unsupported:
      return PANTANAL_UNSUPPORTED;
    case ErrorCode::mismatch:
      return PANTANAL_MISMATCH;
    case ErrorCode::internal:
      return PANTANAL_INTERNAL;
  }
  return PANTANAL_INTERNAL;
}

/// Runs `body`, which returns a Status.
template <class Body>
pantanal_status guarded(Body&& body) noexcept {
  try {
    const Status status = body();
    return status ? PANTANAL_OK : fail(status_of(status.error().code), status.error().message());
  } catch (const std::bad_alloc&) {
    return fail(PANTANAL_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& failure) {
    return fail(PANTANAL_INTERNAL, failure.what());
  } catch (...) {
    return fail(PANTANAL_INTERNAL, "an unknown exception");
  }
}

/// An argument that must not be null.
inline Status required(const void* argument, const char* name) {
  if (argument) return {};
  return Error{ErrorCode::invalid_argument, name, "NULL", "a pointer"};
}

/// The file that an option names; empty where it names none.
inline std::filesystem::path path_of(const char* name) { return name ? name : ""; }

/// The first `size` bytes of `defaults` to where a caller's header has a struct of that size, which it then
/// states; zeros beyond what this library knows.
template <class Options>
void write_defaults(Options* options, std::size_t size, Options defaults) {
  if (!options || size < sizeof defaults.struct_size) return;
  defaults.struct_size = size;
  auto* const bytes = reinterpret_cast<unsigned char*>(options);
  const std::size_t known = std::min(size, sizeof defaults);
  std::memcpy(bytes, &defaults, known);
  std::memset(bytes + known, 0, size - known);
}

/// The caller's options over the defaults: as many fields as his header knew. `fields` are the offsets of all
/// but struct_size, where an older header's struct may have ended.
template <class Options>
Result<Options> read_options(const Options* given, void (*init)(Options*),
                             std::initializer_list<std::size_t> fields) {
  Options options;
  init(&options);
  if (!given) return options;
  const std::size_t size = given->struct_size;
  if (size != sizeof options && std::ranges::find(fields, size) == fields.end())
    return Error{ErrorCode::invalid_argument, "struct_size", std::to_string(size) + " bytes",
                 std::to_string(sizeof options) + ", as the *_init function sets it, or an older header's"};
  std::memcpy(&options, given, size);
  options.struct_size = sizeof options;
  return options;
}

}  // namespace pantanal::c_api
