// SafetensorsWriter: writes a .safetensors file tensor by tensor, without holding them in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/crc32c.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/io/json.hpp"
#include "pantanal/io/safetensors_header.hpp"

namespace pantanal {

/// A tensor to be written.
struct SafetensorsSpec {
  std::string name, dtype;
  Shape shape;
};

/// Announce all tensors with create(), give their bytes in the same order with write(), and finish(). The
/// file appears, with its checksum, when finish() succeeds; before that nothing is at its path. Move-only.
class SafetensorsWriter {
 public:
  /// `metadata` must not have the key "checksum": the writer adds it. Errors: a name twice, an unknown dtype,
  /// text that is not UTF-8, a tensor whose offset is no multiple of its element size (put wider elements
  /// first), and AtomicFile's.
  static Result<SafetensorsWriter> create(const std::filesystem::path& path,
                                          const std::map<std::string, std::string>& metadata,
                                          const std::vector<SafetensorsSpec>& specs) {
    const std::string where = path.string();
    PANTANAL_TRY(std::vector<Pending> tensors, lay_out(specs, where));
    PANTANAL_TRY(const std::string header, header_text(metadata, specs, tensors, where));
    PANTANAL_TRY(AtomicFile file, AtomicFile::create(path));
    SafetensorsWriter writer(std::move(file), where, std::move(tensors));
    const std::uint64_t header_size = header.size();
    writer.digits_at_ = sizeof header_size + SafetensorsChecksum::find_digits(header).value();
    PANTANAL_TRY_STATUS(writer.append(std::as_bytes(std::span(&header_size, 1))));
    PANTANAL_TRY_STATUS(writer.append(std::as_bytes(std::span(header))));
    return writer;
  }

  /// Appends to tensor `name`, which must be the first one that is not complete. Any number of pieces.
  Status write(std::string_view name, std::span<const std::byte> bytes) {
    skip_complete();
    if (next_ == tensors_.size() || tensors_[next_].name != name)
      return Error{ErrorCode::invalid_argument, where_ + ": " + std::string(name), "a write to this tensor",
                   next_ == tensors_.size() ? "none, all are complete" : "one to " + tensors_[next_].name};
    if (bytes.size() > tensors_[next_].bytes_left)
      return Error{ErrorCode::invalid_argument, where_ + ": " + std::string(name),
                   std::to_string(bytes.size()) + " more bytes", std::to_string(tensors_[next_].bytes_left)};
    tensors_[next_].bytes_left -= bytes.size();
    return append(bytes);
  }

  /// Writes the checksum and puts the file in place. Every tensor must be complete.
  Status finish() {
    skip_complete();
    if (next_ != tensors_.size())
      return Error{ErrorCode::invalid_argument, where_ + ": " + tensors_[next_].name,
                   std::to_string(tensors_[next_].bytes_left) + " bytes missing", "all tensors written"};
    const std::string checksum = SafetensorsChecksum::text(crc_.value());
    const std::string_view digits = std::string_view(checksum).substr(SafetensorsChecksum::prefix.size());
    PANTANAL_TRY_STATUS(file_.overwrite(digits_at_, std::as_bytes(std::span(digits))));
    return file_.commit();
  }

 private:
  struct Pending {
    std::string name;
    std::uint64_t begin, end, bytes_left;
  };

  SafetensorsWriter(AtomicFile file, std::string where, std::vector<Pending> tensors)
      : file_(std::move(file)), where_(std::move(where)), tensors_(std::move(tensors)) {}

  static Result<std::vector<Pending>> lay_out(const std::vector<SafetensorsSpec>& specs,
                                              const std::string& where) {
    std::vector<Pending> tensors;
    std::uint64_t end = 0;
    for (const SafetensorsSpec& spec : specs) {
      const auto& [name, dtype, shape] = spec;
      const auto refuse = [&](std::string found, std::string expected) {
        return Error{ErrorCode::invalid_argument, where + ": " + spec.name, std::move(found),
                     std::move(expected)};
      };
      const std::optional<std::uint64_t> element = safetensors_element_size(dtype);
      if (!element) return refuse("dtype " + dtype, "one of whole bytes, such as F32");
      const std::optional<std::uint64_t> size = safetensors_byte_size(shape, *element);
      if (!size || *size > max_data - end)
        return refuse(to_string(shape), "a shape whose size does not overflow");
      if (end % *element != 0)
        return refuse("offset " + std::to_string(end),
                      "a multiple of its element size; put wider elements first");
      tensors.push_back({name, end, end + *size, *size});
      end += *size;
    }
    return tensors;
  }

  static Result<std::string> header_text(const std::map<std::string, std::string>& metadata,
                                         const std::vector<SafetensorsSpec>& specs,
                                         const std::vector<Pending>& tensors, const std::string& where) {
    nlohmann::ordered_json header;
    header["__metadata__"] = metadata;
    header["__metadata__"][std::string(SafetensorsChecksum::key)] =
        std::string(SafetensorsChecksum::prefix) + std::string(SafetensorsChecksum::zeros);
    for (std::size_t i = 0; i < specs.size(); ++i)
      if (!header.emplace(specs[i].name, entry_json(specs[i], tensors[i])).second)
        return Error{ErrorCode::invalid_argument, where + ": " + specs[i].name, "this name a second time",
                     "a name of its own"};
    PANTANAL_TRY(std::string text, json_text(header, where + ": header"));
    text.resize(text.size() + (alignment - (sizeof(std::uint64_t) + text.size()) % alignment) % alignment,
                ' ');
    if (text.size() > SafetensorsHeader::max_bytes)
      return Error{ErrorCode::unsupported, where + ": header", std::to_string(text.size()) + " bytes",
                   "at most " + std::to_string(SafetensorsHeader::max_bytes)};
    if (metadata.contains(std::string(SafetensorsChecksum::key)) || !SafetensorsChecksum::find_digits(text))
      return Error{ErrorCode::invalid_argument, where + ": header", "another entry named checksum",
                   "only the writer's own"};
    return text;
  }

  static nlohmann::ordered_json entry_json(const SafetensorsSpec& spec, const Pending& tensor) {
    nlohmann::ordered_json entry;
    entry["dtype"] = spec.dtype;
    entry["shape"] = spec.shape;
    entry["data_offsets"] = {tensor.begin, tensor.end};
    return entry;
  }

  Status append(std::span<const std::byte> bytes) {
    crc_.update(bytes);
    return file_.write(bytes);
  }

  void skip_complete() {
    while (next_ < tensors_.size() && tensors_[next_].bytes_left == 0) ++next_;
  }

  static constexpr std::size_t alignment = 64;  ///< of the first tensor in the file
  static constexpr std::uint64_t max_data = std::uint64_t{1} << 62;

  AtomicFile file_;
  std::string where_;
  std::vector<Pending> tensors_;
  std::size_t next_ = 0;
  std::uint64_t digits_at_ = 0;
  Crc32c crc_;
};

}  // namespace pantanal
