// BoundedQueue: hands values from one thread to another, and holds the faster one back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace pantanal::infer {

/// First in, first out, at most `capacity` values at a time.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  /// Waits for room. False, and the value is dropped, once the queue is closed.
  bool push(T value) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return closed_ || values_.size() < capacity_; });
    if (closed_) return false;
    values_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }

  /// Waits for a value. Nothing once the queue is closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || !values_.empty(); });
    return take_first();
  }

  /// The same; nothing, too, once `stop` says so, which is asked every twentieth of a second.
  template <class Stop>
  std::optional<T> pop_unless(const Stop& stop) {
    std::unique_lock lock(mutex_);
    while (!filled_.wait_for(lock, std::chrono::milliseconds(50),
                             [this] { return closed_ || !values_.empty(); }))
      if (stop()) return std::nullopt;
    return take_first();
  }

  /// No value is taken any more; whoever waits stops waiting.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }

 private:
  std::optional<T> take_first() {
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    room_.notify_one();
    return value;
  }

  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::deque<T> values_;
  bool closed_ = false;
};

}  // namespace pantanal::infer
