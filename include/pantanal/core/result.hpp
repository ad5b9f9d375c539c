// Errors are values: a Result<T> holds either a T or an Error that says where, what was found and what was
// expected.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace pantanal {

/// What kind of thing went wrong; callers branch on it, people read Error::message().
enum class ErrorCode {
  invalid_argument,  ///< the caller passed something outside the documented domain
  not_found,         ///< a file, tensor or key that must exist does not
  io,                ///< the operating system refused a read or a write
  corrupt,           ///< the bytes contradict their own format or checksum
  unsupported,       ///< well-formed, but of a kind this build does not handle
  mismatch,          ///< well-formed, but of another shape, size or version than required
  internal,          ///< a broken promise of this library itself
};

/// The field's short name of a code, e.g. "corrupt".
inline const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid argument";
    case ErrorCode::not_found:
      return "not found";
    case ErrorCode::io:
      return "io error";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::mismatch:
      return "mismatch";
    case ErrorCode::internal:
      return "internal error";
  }
  return "unknown error";
}

/// One failure. `where` names the file, tensor, node or argument.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string where;
  std::string found;
  std::string expected;

  /// "WHERE: CODE: found FOUND, expected EXPECTED" with the parts that are known.
  std::string message() const {
    std::string text = where.empty() ? std::string() : where + ": ";
    text += to_string(code);
    if (!found.empty()) text += ": found " + found;
    if (!expected.empty()) text += (found.empty() ? ": expected " : ", expected ") + expected;
    return text;
  }
};

/// Either a value or an Error. Test it, then use `*result` or `result.error()`; the wrong one throws
/// std::bad_variant_access, which is a bug in the caller.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return error_.value(); }
  Error&& error() && { return std::move(error_).value(); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

#define PANTANAL_CONCAT_INNER(a, b) a##b
#define PANTANAL_CONCAT(a, b) PANTANAL_CONCAT_INNER(a, b)

/// PANTANAL_TRY(auto x, f()): x = *f(), or return f()'s error from the enclosing function.
#define PANTANAL_TRY(declaration, expression) \
  PANTANAL_TRY_INNER(declaration, expression, PANTANAL_CONCAT(pantanal_result_, __LINE__))
#define PANTANAL_TRY_INNER(declaration, expression, result) \
  auto result = (expression);                               \
  if (!result) return std::move(result).error();            \
  declaration = *std::move(result)

/// PANTANAL_TRY_STATUS(f()): return f()'s error, if it has one, from the enclosing function.
#define PANTANAL_TRY_STATUS(expression)                                                                   \
  do {                                                                                                    \
    if (auto pantanal_status = (expression); !pantanal_status) return std::move(pantanal_status).error(); \
  } while (false)

}  // namespace pantanal
