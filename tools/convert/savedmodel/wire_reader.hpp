// WireReader: the fields of one serialised protobuf message, one after the other.
// Source: https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pantanal::convert {

/// Takes a base-128 varint off the front of `bytes`; nothing if it is cut off, over 64 bits, or padded with
/// zeros, as no encoder writes it.
inline std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) return std::nullopt;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

/// Takes a little-endian integer of `size` bytes, at most 8, off the front of `bytes`, if they are there.
inline std::optional<std::uint64_t> take_fixed(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  bytes.remove_prefix(size);
  return value;
}

/// One field as it stands in the message; what its number means is the caller's affair.
struct WireField {
  enum class Type { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  std::uint64_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;  ///< of varint, fixed32 and fixed64
  std::string_view bytes;   ///< of Type::bytes: a string or a nested message

  bool is(std::uint64_t wanted_number, Type wanted_type) const {
    return number == wanted_number && type == wanted_type;
  }
};

/// Reads a message's fields in order: while (const auto field = reader.next()) ...; then ok() tells whether
/// the message ended where a field ended. Groups, long out of use, count as malformed.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  bool ok() const { return ok_; }

  std::optional<WireField> next() {
    if (rest_.empty() || !ok_) return std::nullopt;
    const auto field = read();
    ok_ = field.has_value();
    return field;
  }

 private:
  std::optional<WireField> read() {
    const auto tag = take_varint(rest_);
    if (!tag || *tag >> 3 == 0) return std::nullopt;
    WireField field{*tag >> 3, static_cast<WireField::Type>(*tag & 7), 0, {}};
    std::optional<std::uint64_t> value;
    switch (field.type) {
      case WireField::Type::varint:
      case WireField::Type::bytes:
        value = take_varint(rest_);
        break;
      case WireField::Type::fixed64:
        value = take_fixed(rest_, 8);
        break;
      case WireField::Type::fixed32:
        value = take_fixed(rest_, 4);
        break;
    }
    if (!value) return std::nullopt;
    field.value = *value;
    if (field.type == WireField::Type::bytes) {
      if (*value > rest_.size()) return std::nullopt;
      field.bytes = rest_.substr(0, static_cast<std::size_t>(*value));
      rest_.remove_prefix(field.bytes.size());
    }
    return field;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace pantanal::convert
