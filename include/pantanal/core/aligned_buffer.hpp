// AlignedBuffer: an owning array on cache-line boundaries, the storage of packed weights and scratch.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace pantanal {

inline constexpr std::size_t cache_line = 64;

/// `size` zero-initialised elements of a trivial type, aligned to 64 bytes. Move-only; a moved-from buffer is
/// empty.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size)
      : data_(size ? new (std::align_val_t{cache_line}) T[size]() : nullptr), size_(size) {}

  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }

 private:
  struct Delete {
    void operator()(T* p) const { ::operator delete[](p, std::align_val_t{cache_line}); }
  };
  std::unique_ptr<T[], Delete> data_;
  std::size_t size_ = 0;
};

}  // namespace pantanal
