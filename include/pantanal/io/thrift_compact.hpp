// ThriftReader: a structure in Thrift's compact protocol, field by field.
// Source: Apache Thrift, "Thrift Compact protocol encoding", doc/specs/thrift-compact-protocol.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "pantanal/io/varint.hpp"

namespace pantanal {

/// A reader of bytes that may hold anything. Once something makes no sense or the bytes end, failed() stays
/// set and everything reads as 0 and empty: it need be asked only at the end.
class ThriftReader {
 public:
  enum class Type : std::uint8_t {
    stop = 0,
    yes = 1,
    no = 2,
    i8 = 3,
    i16 = 4,
    i32 = 5,
    i64 = 6,
    real = 7,
    binary = 8,
    list = 9,
    set = 10,
    map = 11,
    structure = 12
  };

  explicit ThriftReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool failed() const { return failed_; }
  /// Bytes read so far.
  std::size_t position() const { return at_; }

  /// Calls on_field(id, type) for each field of a structure; true says that it has read the value, with the
  /// functions below, otherwise it is left out.
  template <class F>
  void read_struct(F&& on_field) {
    std::int64_t id = 0;
    if (++depth_ > most_depth) failed_ = true;
    while (!failed_) {
      const std::uint8_t head = read_byte();
      const auto type = static_cast<Type>(head & 15);
      if (failed_ || type == Type::stop) break;
      id = head >> 4 ? id + (head >> 4) : read_integer();
      if (type > Type::structure) failed_ = true;
      if (!failed_ && !on_field(id, type)) skip(type);
    }
    --depth_;
  }

  /// Calls on_item() for each item of a list of `type`, which must read it.
  template <class F>
  void read_list(Type type, F&& on_item) {
    const auto [count, found] = read_list_head();
    if (count > 0 && found != type) failed_ = true;
    for (std::size_t i = 0; i < count && !failed_; ++i) on_item();
  }

  /// i16, i32 or i64.
  std::int64_t read_integer() {
    const std::uint64_t zigzag = read_number();
    return static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
  }

  std::string read_text() {
    const std::uint64_t size = read_number();
    if (size > bytes_.size() - at_) failed_ = true;
    if (failed_) return {};
    std::string text(reinterpret_cast<const char*>(bytes_.data()) + at_, static_cast<std::size_t>(size));
    at_ += text.size();
    return text;
  }

 private:
  static constexpr int most_depth = 32;

  std::uint8_t read_byte() {
    if (at_ >= bytes_.size()) failed_ = true;
    return failed_ ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes_[at_++]);
  }

  std::uint64_t read_number() {
    const auto value = failed_ ? std::nullopt : read_varint(bytes_, at_, 10);
    if (!value) failed_ = true;
    return value.value_or(0);
  }

  /// Items and their type. No item is smaller than a byte, so that there are no more of them than bytes.
  std::pair<std::size_t, Type> read_list_head() {
    const std::uint8_t head = read_byte();
    const std::uint64_t count = head >> 4 == 15 ? read_number() : head >> 4;
    if (count > bytes_.size() - at_) failed_ = true;
    return {failed_ ? 0 : static_cast<std::size_t>(count), static_cast<Type>(head & 15)};
  }

  void skip_bytes(std::uint64_t count) {
    if (count > bytes_.size() - at_) failed_ = true;
    if (!failed_) at_ += static_cast<std::size_t>(count);
  }

  /// An item of a list or map; a boolean there is a byte.
  void skip_item(Type type) {
    if (type == Type::yes || type == Type::no) return skip_bytes(1);
    skip(type);
  }

  void skip(Type type) {
    if (type == Type::yes || type == Type::no) return;  // the field's head has said it
    if (type == Type::i8) return skip_bytes(1);
    if (type == Type::i16 || type == Type::i32 || type == Type::i64) return void(read_number());
    if (type == Type::real) return skip_bytes(8);
    if (type == Type::binary) return skip_bytes(read_number());
    if (type == Type::structure) return read_struct([](std::int64_t, Type) { return false; });
    if (type > Type::structure || type == Type::stop || ++depth_ > most_depth) {
      failed_ = true;
      return;
    }
    if (type == Type::map) {
      const std::uint64_t count = read_number();
      if (count > bytes_.size() - at_) failed_ = true;
      const std::uint8_t types = count > 0 ? read_byte() : std::uint8_t{0};
      for (std::uint64_t i = 0; i < count && !failed_; ++i) {
        skip_item(static_cast<Type>(types >> 4));
        skip_item(static_cast<Type>(types & 15));
      }
    } else {
      const auto [count, item] = read_list_head();
      for (std::size_t i = 0; i < count && !failed_; ++i) skip_item(item);
    }
    --depth_;
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
};

}  // namespace pantanal
