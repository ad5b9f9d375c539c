#include "savedmodel/sorted_table.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "savedmodel/wire_reader.hpp"

namespace pantanal::convert {
namespace {

constexpr std::uint64_t table_magic = 0xdb4775248b80fb57;
constexpr std::size_t footer_size = 48;  // two block handles, zeros, the magic number
constexpr std::size_t trailer_size = 5;  // after a block: its compression and its checksum
constexpr std::size_t most_key_bytes = std::size_t{64} << 20;

/// Where a block lies in the file, its trailer not counted.
struct BlockHandle {
  std::uint64_t offset = 0, size = 0;
};

/// Takes `count` varints off the front of `bytes`, if they are there.
template <std::size_t count>
std::optional<std::array<std::uint64_t, count>> take_varints(std::string_view& bytes) {
  std::array<std::uint64_t, count> values{};
  for (std::uint64_t& value : values) {
    const auto next = take_varint(bytes);
    if (!next) return std::nullopt;
    value = *next;
  }
  return values;
}

std::optional<BlockHandle> take_handle(std::string_view& bytes) {
  const auto handle = take_varints<2>(bytes);
  if (!handle) return std::nullopt;
  return BlockHandle{(*handle)[0], (*handle)[1]};
}

class TableReader {
 public:
  TableReader(std::string_view file, std::string_view where) : file_(file), where_(where) {}

  Result<std::vector<TableEntry>> read() {
    PANTANAL_TRY(const auto handles, read_footer());
    PANTANAL_TRY_STATUS(block(handles.first, "metaindex block"));
    PANTANAL_TRY(const auto index, entries(handles.second, "index block"));
    std::vector<TableEntry> all;
    std::uint64_t end = 0;
    for (const TableEntry& block_entry : index) {
      std::string_view value = block_entry.value;
      const auto handle = take_handle(value);
      // Blocks lie one behind the other: an index that visits one twice would cost time without bound.
      if (!handle || !value.empty() || handle->offset < end)
        return error("index block", "an entry that does not name the next data block", "ascending blocks");
      PANTANAL_TRY(auto some, entries(*handle, "data block at byte " + std::to_string(handle->offset)));
      end = handle->offset + handle->size;
      for (TableEntry& entry : some) {
        if (!all.empty() && entry.key <= all.back().key)
          return error("data blocks", "key '" + entry.key + "' after '" + all.back().key + "'",
                       "ascending keys");
        all.push_back(std::move(entry));
      }
    }
    return all;
  }

 private:
  Error error(std::string_view part, std::string found, std::string expected) const {
    return {ErrorCode::corrupt, where_ + ": " + std::string(part), std::move(found), std::move(expected)};
  }

  /// The handles of the metaindex block and the index block.
  Result<std::pair<BlockHandle, BlockHandle>> read_footer() const {
    if (file_.size() < footer_size)
      return error("footer", std::to_string(file_.size()) + " bytes",
                   "a table, at least " + std::to_string(footer_size));
    std::string_view footer = file_.substr(file_.size() - footer_size);
    std::string_view magic = footer.substr(footer_size - 8);
    if (take_fixed(magic, 8) != table_magic)
      return error("footer", "another file type or a truncated file",
                   "the magic number of a table in its last 8 bytes");
    footer.remove_suffix(8);
    const auto metaindex = take_handle(footer);
    const auto index = metaindex ? take_handle(footer) : std::nullopt;
    if (!index || footer.find_first_not_of('\0') != std::string_view::npos)
      return error("footer", "no block handles", "two, then zeros");
    return std::pair(*metaindex, *index);
  }

  /// A block's bytes, checked and without trailer.
  Result<std::string_view> block(BlockHandle handle, std::string_view part) const {
    const std::size_t room = file_.size() - footer_size;
    if (handle.offset > room || room - handle.offset < trailer_size ||
        handle.size > room - handle.offset - trailer_size)
      return error(part, std::to_string(handle.size) + " bytes at byte " + std::to_string(handle.offset),
                   "a block within the " + std::to_string(room) + " bytes before the footer");
    const std::string_view whole = file_.substr(handle.offset, handle.size + trailer_size);
    std::string_view stored_crc = whole.substr(handle.size + 1);
    if (take_fixed(stored_crc, 4) !=
        masked_crc32c(std::as_bytes(std::span(whole.substr(0, handle.size + 1)))))
      return error(part, "another checksum", "the CRC-32C of its bytes");
    if (whole[handle.size] != 0)
      return Error{ErrorCode::unsupported, where_ + ": " + std::string(part),
                   whole[handle.size] == 1 ? "Snappy compression"
                                           : "compression " + std::to_string(int{whole[handle.size]}),
                   "an uncompressed block, as TensorFlow writes them"};
    return whole.substr(0, handle.size);
  }

  /// A block's entries: each key is stored as what it does not share with the one before.
  Result<std::vector<TableEntry>> entries(BlockHandle handle, const std::string& part) {
    PANTANAL_TRY(std::string_view rest, block(handle, part));
    std::string_view count_bytes = rest.substr(rest.size() < 4 ? 0 : rest.size() - 4);
    const auto restarts = take_fixed(count_bytes, 4);
    if (!restarts || *restarts > rest.size() / 4 - 1)
      return error(part, "restart points beyond its bytes", "a list of restart points at its end");
    rest.remove_suffix(4 * (static_cast<std::size_t>(*restarts) + 1));
    std::vector<TableEntry> found;
    while (!rest.empty()) {
      const auto sizes = take_varints<3>(rest);
      const std::string_view previous = found.empty() ? std::string_view() : found.back().key;
      const auto [shared, own, value_size] = sizes.value_or(std::array<std::uint64_t, 3>{});
      if (!sizes || shared > previous.size() || own > rest.size() || value_size > rest.size() - own)
        return error(part, "an entry that reaches beyond it", "whole entries");
      key_bytes_ += static_cast<std::size_t>(shared + own) + sizeof(TableEntry);
      if (key_bytes_ > most_key_bytes)
        return Error{ErrorCode::unsupported, where_ + ": " + part,
                     "more than " + std::to_string(most_key_bytes) + " bytes of keys",
                     "a checkpoint's index"};
      std::string key(previous.substr(0, shared));
      key += rest.substr(0, own);
      found.push_back({std::move(key), rest.substr(own, value_size)});
      rest.remove_prefix(static_cast<std::size_t>(own + value_size));
    }
    return found;
  }

  std::string_view file_;
  std::string where_;
  std::size_t key_bytes_ = 0;  // what all entries so far ask for, the index's own included
};

}  // namespace

Result<std::vector<TableEntry>> read_sorted_table(std::string_view file, std::string_view where) {
  return TableReader(file, where).read();
}

}  // namespace pantanal::convert
