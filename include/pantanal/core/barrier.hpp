// A barrier for threads that meet every few microseconds: it spins before it sleeps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pantanal {

/// As std::barrier<>, which goes to sleep at once: waking a thread costs more than most of a layer's parts
/// do. It never yields: on a core that another program wants as well, that gives away a whole time slice.
class Barrier {
 public:
  explicit Barrier(std::size_t members) : members_(members) {}

  /// Waits until all members have arrived. What they wrote before is seen by all after it.
  void arrive_and_wait() {
    const std::uint32_t phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.fetch_add(1, std::memory_order_release);
      phase_.notify_all();
      return;
    }
    for (int spin = 0; spin < spins; ++spin) {
      if (phase_.load(std::memory_order_acquire) != phase) return;
      pause();
    }
    phase_.wait(phase, std::memory_order_acquire);
  }

 private:
  static constexpr int spins = 2000;  ///< some 40 microseconds, a few times what waking a thread takes

  static void pause() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }

  const std::size_t members_;
  std::atomic<std::size_t> arrived_{0};
  std::atomic<std::uint32_t> phase_{0};
};

}  // namespace pantanal
