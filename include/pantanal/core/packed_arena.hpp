// PackedArena: where packed weights lie, in memory of their own or where an earlier run has packed them.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"

namespace pantanal {

/// Elements of a trivial type, aligned to 64 bytes: its own, zero until they are packed, or a view of packed
/// ones, which nobody may write. Move-only; a moved-from buffer is empty.
template <class T>
class PackedBuffer {
 public:
  PackedBuffer() = default;
  explicit PackedBuffer(std::size_t size) : own_(size), values_(own_.span()) {}
  /// `packed` must outlive the buffer.
  explicit PackedBuffer(std::span<const T> packed) : values_(packed) {}

  PackedBuffer(PackedBuffer&& other) noexcept
      : own_(std::move(other.own_)), values_(std::exchange(other.values_, {})) {}
  PackedBuffer& operator=(PackedBuffer&& other) noexcept {
    own_ = std::move(other.own_);
    values_ = std::exchange(other.values_, {});
    return *this;
  }

  const T* data() const { return values_.data(); }
  std::size_t size() const { return values_.size(); }
  const T& operator[](std::size_t i) const { return values_[i]; }
  std::span<const T> span() const { return values_; }

  /// Where to pack; null where it is a view.
  T* writable() { return own_.data(); }

 private:
  AlignedBuffer<T> own_;
  std::span<const T> values_;
};

/// Hands buffers out in the order in which they are asked for. Whoever asks for the same ones again gets them
/// from a copy of the first ones' bytes, one after the other, each from a multiple of 64 on.
class PackedArena {
 public:
  /// Of buffers with memory of their own, to be packed.
  PackedArena() = default;
  /// Of views of `packed`, which starts at a multiple of 64 and must outlive them.
  explicit PackedArena(std::span<const std::byte> packed) : packed_(packed), is_packed_(true) {}

  /// Whether buffers are packed, so that whoever takes one must leave it as it is.
  bool is_packed() const { return is_packed_; }

  /// The next buffer. Empty where the packed bytes have come to an end.
  template <class T>
  PackedBuffer<T> take(std::size_t size) {
    const std::size_t begin = bytes_, bytes = size * sizeof(T);
    bytes_ += (bytes + cache_line - 1) / cache_line * cache_line;
    PackedBuffer<T> buffer;
    if (!is_packed_)
      buffer = PackedBuffer<T>(size);
    else if (bytes_ <= packed_.size())
      buffer = PackedBuffer<T>(std::span(reinterpret_cast<const T*>(packed_.data() + begin), size));
    taken_.push_back(std::as_bytes(buffer.span()));
    return buffer;
  }

  /// What was taken, in that order; it lives as long as the buffers.
  const std::vector<std::span<const std::byte>>& taken() const { return taken_; }
  /// Bytes that all of it takes, with what rounds each buffer up.
  std::size_t bytes() const { return bytes_; }

 private:
  std::span<const std::byte> packed_;
  bool is_packed_ = false;
  std::size_t bytes_ = 0;
  std::vector<std::span<const std::byte>> taken_;
};

/// A buffer of `arena`, or one of its own where there is none.
template <class T>
PackedBuffer<T> take_packed(PackedArena* arena, std::size_t size) {
  return arena ? arena->take<T>(size) : PackedBuffer<T>(size);
}
inline bool is_packed(const PackedArena* arena) { return arena && arena->is_packed(); }

}  // namespace pantanal
