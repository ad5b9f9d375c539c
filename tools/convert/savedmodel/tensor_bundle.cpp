#include "savedmodel/tensor_bundle.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "savedmodel/sorted_table.hpp"
#include "savedmodel/wire_reader.hpp"

namespace pantanal::convert {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t most_index_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t bundle_version = 1;
constexpr std::uint64_t type_float = 1;
constexpr std::size_t most_dimensions = 254;  // TensorFlow's own limit

using Type = WireField::Type;

/// BundleHeaderProto, stored under the empty key.
struct BundleHeader {
  std::uint64_t shards = 0, endianness = 0, least_reader = 0;
};

/// VersionDef.min_consumer: the oldest reader that may read this.
std::optional<std::uint64_t> parse_least_reader(std::string_view message) {
  std::uint64_t least = 0;
  WireReader reader(message);
  while (const auto field = reader.next())
    if (field->is(2, Type::varint)) least = field->value;
  return reader.ok() ? std::optional(least) : std::nullopt;
}

std::optional<BundleHeader> parse_header(std::string_view message) {
  BundleHeader header;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(1, Type::varint)) header.shards = field->value;
    if (field->is(2, Type::varint)) header.endianness = field->value;
    if (field->is(3, Type::bytes)) {
      const auto least = parse_least_reader(field->bytes);
      if (!least) return std::nullopt;
      header.least_reader = *least;
    }
  }
  return reader.ok() ? std::optional(header) : std::nullopt;
}

/// TensorShapeProto.Dim; nothing if it is malformed or of unknown extent.
std::optional<std::int64_t> parse_extent(std::string_view message) {
  std::int64_t extent = 0;
  WireReader reader(message);
  while (const auto field = reader.next())
    if (field->is(1, Type::varint)) extent = static_cast<std::int64_t>(field->value);
  return reader.ok() && extent >= 0 ? std::optional(extent) : std::nullopt;
}

/// TensorShapeProto; nothing if it is malformed or of unknown rank.
std::optional<Shape> parse_shape(std::string_view message) {
  Shape shape;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(3, Type::varint) && field->value != 0) return std::nullopt;
    if (!field->is(2, Type::bytes)) continue;
    const auto extent = parse_extent(field->bytes);
    if (!extent || shape.size() == most_dimensions) return std::nullopt;
    shape.push_back(*extent);
  }
  return reader.ok() ? std::optional(shape) : std::nullopt;
}

/// BundleEntryProto.
std::optional<BundleEntry> parse_entry(std::string_view message) {
  BundleEntry entry;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->is(1, Type::varint)) entry.type = field->value;
    if (field->is(2, Type::bytes)) {
      auto shape = parse_shape(field->bytes);
      if (!shape) return std::nullopt;
      entry.shape = *std::move(shape);
    }
    if (field->is(3, Type::varint)) entry.shard = field->value;
    if (field->is(4, Type::varint)) entry.offset = field->value;
    if (field->is(5, Type::varint)) entry.size = field->value;
    if (field->is(6, Type::fixed32)) entry.checksum = static_cast<std::uint32_t>(field->value);
    if (field->is(7, Type::bytes)) entry.is_sliced = true;
  }
  return reader.ok() ? std::optional(std::move(entry)) : std::nullopt;
}

/// The number of shards, if the header is one that this reader understands.
Result<std::uint64_t> check_header(std::string_view message, const std::string& where) {
  const auto header = parse_header(message);
  if (!header) return Error{ErrorCode::corrupt, where, "a malformed header", "a BundleHeaderProto"};
  if (header->endianness != 0)
    return Error{ErrorCode::unsupported, where, "big-endian tensors", "little-endian ones"};
  if (header->least_reader > bundle_version)
    return Error{ErrorCode::unsupported, where, "format version " + std::to_string(header->least_reader),
                 "at most " + std::to_string(bundle_version)};
  return header->shards;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string shard_suffix(std::uint64_t shard, std::uint64_t count) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), ".data-%05llu-of-%05llu", static_cast<unsigned long long>(shard),
                static_cast<unsigned long long>(count));
  return text.data();
}

}  // namespace

std::string data_type_name(std::uint64_t type) {
  constexpr const char* names[] = {"DT_INVALID",  "DT_FLOAT",   "DT_DOUBLE", "DT_INT32",      "DT_UINT8",
                                   "DT_INT16",    "DT_INT8",    "DT_STRING", "DT_COMPLEX64",  "DT_INT64",
                                   "DT_BOOL",     "DT_QINT8",   "DT_QUINT8", "DT_QINT32",     "DT_BFLOAT16",
                                   "DT_QINT16",   "DT_QUINT16", "DT_UINT16", "DT_COMPLEX128", "DT_HALF",
                                   "DT_RESOURCE", "DT_VARIANT", "DT_UINT32", "DT_UINT64"};
  return type < std::size(names) ? names[type] : "data type " + std::to_string(type);
}

Result<TensorBundle> TensorBundle::open(const std::filesystem::path& prefix) {
  TensorBundle bundle;
  bundle.index_path_ = prefix;
  bundle.index_path_ += ".index";
  PANTANAL_TRY_STATUS(bundle.read_index());
  return bundle;
}

Status TensorBundle::read_index() {
  const std::string where = index_path_.string();
  PANTANAL_TRY(const MappedFile index, MappedFile::open(index_path_));
  if (index.bytes().size() > most_index_bytes)
    return Error{ErrorCode::unsupported, where, std::to_string(index.bytes().size()) + " bytes",
                 "an index of at most " + std::to_string(most_index_bytes)};
  PANTANAL_TRY(const auto table, read_sorted_table(as_text(index.bytes()), where));
  if (table.empty() || !table.front().key.empty())
    return Error{ErrorCode::corrupt, where, "no header", "a checkpoint's header under the empty key"};
  PANTANAL_TRY(const std::uint64_t shards, check_header(table.front().value, where));
  PANTANAL_TRY_STATUS(find_shards(shards));
  for (const TableEntry& entry : std::span(table).subspan(1))
    PANTANAL_TRY_STATUS(add_entry(entry.key, entry.value));
  return {};
}

Status TensorBundle::add_entry(const std::string& key, std::string_view message) {
  const std::string where = index_path_.string() + ": " + key;
  auto entry = parse_entry(message);
  if (!entry) return Error{ErrorCode::corrupt, where, "a malformed entry", "a BundleEntryProto"};
  if (entry->shard >= shards_.size())
    return Error{ErrorCode::corrupt, where, "shard " + std::to_string(entry->shard),
                 "one of " + std::to_string(shards_.size())};
  const std::uint64_t shard_size = shards_[entry->shard].bytes().size();
  if (entry->offset > shard_size || entry->size > shard_size - entry->offset)
    return Error{
        ErrorCode::corrupt, where,
        shard_paths_[entry->shard].filename().string() + " of " + std::to_string(shard_size) + " bytes",
        std::to_string(entry->size) + " bytes from byte " + std::to_string(entry->offset) + " on"};
  entries_.emplace_hint(entries_.end(), key, *std::move(entry));
  return {};
}

Status TensorBundle::find_shards(std::uint64_t count) {
  if (count == 0) return Error{ErrorCode::corrupt, index_path_.string(), "0 shards", "at least 1"};
  for (std::uint64_t shard = 0; shard < count; ++shard) {
    std::filesystem::path path = index_path_;
    path.replace_extension(shard_suffix(shard, count));
    PANTANAL_TRY(MappedFile file, MappedFile::open(path));
    shard_paths_.push_back(std::move(path));
    shards_.push_back(std::move(file));
  }
  return {};
}

Result<std::vector<float>> TensorBundle::read_floats(std::string_view key) const {
  std::string where = index_path_.string() + ": " + std::string(key);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return Error{ErrorCode::not_found, where, "no such tensor", {}};
  const BundleEntry& entry = found->second;
  if (entry.type != type_float)
    return Error{ErrorCode::unsupported, where, data_type_name(entry.type), "DT_FLOAT"};
  if (entry.is_sliced) return Error{ErrorCode::unsupported, where, "a partitioned variable", "a whole one"};
  const auto count = element_count(entry.shape);
  if (!count || entry.size % sizeof(float) != 0 ||
      static_cast<std::uint64_t>(*count) != entry.size / sizeof(float))
    return Error{ErrorCode::mismatch, where, std::to_string(entry.size) + " bytes",
                 "as many as floats of shape " + to_string(entry.shape) + " take"};
  const auto bytes = shards_[entry.shard].bytes().subspan(entry.offset, entry.size);
  if (masked_crc32c(bytes) != entry.checksum)
    return Error{ErrorCode::corrupt, where,
                 "another checksum in " + shard_paths_[entry.shard].filename().string(),
                 "the CRC-32C that the index gives"};
  std::vector<float> values(static_cast<std::size_t>(*count));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace pantanal::convert
