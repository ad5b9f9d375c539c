// Giving mapped memory back: what a file holds need not be held twice.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "pantanal/core/tensor.hpp"

namespace pantanal {

/// Takes the whole pages within `bytes`, which must lie in a MappedFile, out of this process's memory. They
/// come back from the file, or the system's cache of it, when they are touched.
inline void release_pages(std::span<const std::byte> bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

/// The same of a tensor's values, if they are a mapped file's.
inline void release_pages(const Tensor& tensor) {
  if (tensor.is_mapped) release_pages(std::as_bytes(tensor.values));
}

}  // namespace pantanal
