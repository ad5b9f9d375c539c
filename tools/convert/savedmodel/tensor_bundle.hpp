// TensorBundle: the tensors of a TensorFlow checkpoint, PREFIX.index and PREFIX.data-00000-of-0000N.
// Source: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"
#include "pantanal/io/mapped_file.hpp"

namespace pantanal::convert {

/// Where one tensor lies, as the index says.
struct BundleEntry {
  std::uint64_t type = 0;  ///< TensorFlow's DataType; see data_type_name
  Shape shape;
  std::uint64_t shard = 0, offset = 0, size = 0;  ///< in bytes, within the shard's file
  std::uint32_t checksum = 0;                     ///< masked CRC-32C of those bytes
  bool is_sliced = false;  ///< a partitioned variable: its parts have entries of their own
};

/// "DT_FLOAT" and the like, or "data type N".
std::string data_type_name(std::uint64_t type);

/// A checkpoint opened for reading: the index is in memory and checked (its checksums, and that every entry
/// lies within its shard); tensors are read when they are asked for. Any number of shards; little-endian
/// only.
class TensorBundle {
 public:
  using Entries = std::map<std::string, BundleEntry, std::less<>>;

  /// Opens PREFIX.index and finds every shard, e.g. of "variables/variables".
  static Result<TensorBundle> open(const std::filesystem::path& prefix);

  const Entries& entries() const { return entries_; }
  const std::filesystem::path& index_path() const { return index_path_; }
  const std::vector<std::filesystem::path>& shard_paths() const { return shard_paths_; }

  /// The values of a DT_FLOAT tensor, row-major. Errors name index and key: `not_found`, `unsupported`
  /// (another type, a partitioned variable), `mismatch` (bytes and shape disagree), `corrupt` (checksum).
  Result<std::vector<float>> read_floats(std::string_view key) const;

 private:
  Status read_index();
  Status add_entry(const std::string& key, std::string_view message);
  Status find_shards(std::uint64_t count);

  std::filesystem::path index_path_;
  std::vector<std::filesystem::path> shard_paths_;
  std::vector<MappedFile> shards_;
  Entries entries_;
};

}  // namespace pantanal::convert
