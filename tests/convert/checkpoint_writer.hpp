// Sorted tables and tensor bundles as TensorFlow writes them, and as it never would, for the readers' tests.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/temporary_folder.hpp"
#include "pantanal/core/shape.hpp"
#include "savedmodel/sorted_table.hpp"

namespace pantanal::convert::fixtures {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string fixed(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

inline std::uint32_t masked_crc32c_of(std::string_view bytes) {
  return masked_crc32c(std::as_bytes(std::span(bytes)));
}

// Fields of a protobuf message.
inline std::string varint_field(unsigned number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}
inline std::string bytes_field(unsigned number, std::string_view value) {
  return varint(number << 3 | 2) + varint(value.size()) + std::string(value);
}
inline std::string fixed32_field(unsigned number, std::uint32_t value) {
  return varint(number << 3 | 5) + fixed(value, 4);
}

/// An entry of a block, sharing `shared` characters with the key before it.
inline std::string block_entry(std::uint64_t shared, std::string_view own_key, std::string_view value) {
  return varint(shared) + varint(own_key.size()) + varint(value.size()) + std::string(own_key) +
         std::string(value);
}

/// The list of restart points that ends a block: only its beginning.
inline std::string block_end() { return fixed(0, 4) + fixed(1, 4); }

/// A table under construction: append blocks, then finish.
class TableWriter {
 public:
  /// Appends a block with its trailer and returns its handle.
  std::string add_block(const std::string& contents, char compression = 0) {
    const std::string handle = varint(file_.size()) + varint(contents.size());
    const std::string covered = contents + compression;
    file_ += covered + fixed(masked_crc32c_of(covered), 4);
    return handle;
  }

  /// The whole table, whose data blocks have these handles.
  std::string finish(const std::vector<std::string>& handles) {
    std::string index;
    for (std::size_t i = 0; i < handles.size(); ++i)
      index += block_entry(0, "\xff" + std::to_string(100 + i), handles[i]);
    const std::string metaindex_handle = add_block(block_end());
    const std::string index_handle = add_block(index + block_end());
    std::string footer = metaindex_handle + index_handle;
    footer.resize(40, '\0');
    return file_ + footer + fixed(0xdb4775248b80fb57, 8);
  }

 private:
  std::string file_;
};

/// A table of one data block per map.
inline std::string make_table(const std::vector<std::map<std::string, std::string>>& blocks) {
  TableWriter writer;
  std::vector<std::string> handles;
  for (const auto& block : blocks) {
    std::string contents, previous;
    for (const auto& [key, value] : block) {
      std::size_t shared = 0;
      while (shared < std::min(key.size(), previous.size()) && key[shared] == previous[shared]) ++shared;
      contents += block_entry(shared, key.substr(shared), value);
      previous = key;
    }
    handles.push_back(writer.add_block(contents + block_end()));
  }
  return writer.finish(handles);
}

/// Writes a file and the folders it lies in.
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  write_bytes(path, bytes);
}

/// BundleHeaderProto.
inline std::string bundle_header(std::uint64_t shards, std::uint64_t endianness = 0,
                                 std::uint64_t least_reader = 0) {
  return varint_field(1, shards) + varint_field(2, endianness) +
         bytes_field(3, varint_field(1, 1) + varint_field(2, least_reader));
}

inline std::string shape_message(const Shape& shape) {
  std::string message;
  for (const std::int64_t extent : shape)
    message += bytes_field(2, varint_field(1, static_cast<std::uint64_t>(extent)));
  return message;
}

/// BundleEntryProto of a tensor in shard 0.
inline std::string bundle_entry(std::uint64_t type, const Shape& shape, std::uint64_t offset,
                                std::uint64_t size, std::uint32_t checksum) {
  return varint_field(1, type) + bytes_field(2, shape_message(shape)) + varint_field(4, offset) +
         varint_field(5, size) + fixed32_field(6, checksum);
}

struct FloatTensor {
  Shape shape;
  std::vector<float> values;
};

/// Writes PREFIX.index and PREFIX.data-00000-of-00001.
inline void write_bundle(const std::filesystem::path& prefix,
                         const std::map<std::string, FloatTensor>& tensors) {
  std::map<std::string, std::string> index{{"", bundle_header(1)}};
  std::string data = "odd";  // tensors need not be aligned
  for (const auto& [key, tensor] : tensors) {
    const auto bytes = std::as_bytes(std::span(tensor.values));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    index[key] = bundle_entry(1, tensor.shape, data.size(), text.size(), masked_crc32c_of(text));
    data += text;
  }
  write_file(prefix.string() + ".index", make_table({index}));
  write_file(prefix.string() + ".data-00000-of-00001", data);
}

}  // namespace pantanal::convert::fixtures
