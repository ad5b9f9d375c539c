// ProcessMutex: a mutex that a forked process finds free, whatever its parent's threads were doing.
#pragma once

#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>

namespace pantanal {

/// fork() copies a mutex as it is, but of the threads only the one that forks: what another thread had locked
/// stays locked in the child for good. So the mutex belongs to a process, and the first who locks it in
/// another one makes a new one. The parent's is left as it is: a locked mutex must not be destroyed.
class ProcessMutex {
 public:
  ProcessMutex() : owned_(new Owned) {}
  ~ProcessMutex() {
    if (const Owned* owned = owned_.load(); owned->process == getpid()) delete owned;
  }
  ProcessMutex(const ProcessMutex&) = delete;
  ProcessMutex& operator=(const ProcessMutex&) = delete;

  std::unique_lock<std::mutex> lock() {
    Owned* owned = owned_.load();
    if (owned->process != getpid()) {
      auto fresh = std::make_unique<Owned>();
      if (owned_.compare_exchange_strong(owned, fresh.get())) owned = fresh.release();
    }
    return std::unique_lock(owned->mutex);
  }

 private:
  struct Owned {
    pid_t process = getpid();
    std::mutex mutex;
  };
  std::atomic<Owned*> owned_;
};

}  // namespace pantanal
