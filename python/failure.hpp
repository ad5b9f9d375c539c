// Errors on their way to Python: what every extension module of the package shares.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <string>
#include <utility>

#include "pantanal/core/result.hpp"

namespace pantanal {

namespace nb = nanobind;

/// An Error on its way to Python.
struct Failure {
  Error error;
};

template <class T>
T value_or_raise(Result<T> result) {
  if (!result) throw Failure{std::move(result).error()};
  return *std::move(result);
}

inline void raise_if_failed(const Status& status) {
  if (!status) throw Failure{status.error()};
}

inline const char* exception_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "ValueError";
    case ErrorCode::not_found:
      return "FileNotFoundError";
    case ErrorCode::io:
      return "OSError";
    case ErrorCode::corrupt:
      return "CorruptError";
    case ErrorCode::unsupported:
      return "UnsupportedError";
    case ErrorCode::mismatch:
      return "MismatchError";
    case ErrorCode::internal:
      return "InternalError";
  }
  return "InternalError";
}

/// Sets the Python exception. Messages hold file names, which need not be UTF-8.
inline void set_exception(const Error& error) {
  const std::string text = error.message();
  const nb::object message =
      nb::steal(PyUnicode_DecodeFSDefaultAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
  const char* const name = exception_name(error.code);
  nb::object type = nb::getattr(nb::module_::import_("pantanal._errors"), name, nb::none());
  if (type.is_none()) type = nb::module_::import_("builtins").attr(name);
  PyErr_SetObject(type.ptr(), message.ptr());
}

/// Has the module being made turn every Failure into its Python exception.
inline void translate_failures() {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Failure& failure) {
      set_exception(failure.error);
    }
  });
}

}  // namespace pantanal
