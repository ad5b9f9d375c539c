#include "bounded_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace pantanal::infer {
namespace {

TEST(BoundedQueue, KeepsTheOrder) {
  BoundedQueue<int> queue(3);
  for (const int value : {1, 2, 3}) EXPECT_TRUE(queue.push(value));
  for (const int value : {1, 2, 3}) EXPECT_EQ(queue.pop(), value);
}

TEST(BoundedQueue, NeverHoldsMoreThanItsCapacity) {
  struct Counted {
    explicit Counted(std::atomic<int>& count) : alive(&count) { ++count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*alive; }
    std::atomic<int>* alive;
  };
  std::atomic<int> alive{0};
  BoundedQueue<std::unique_ptr<Counted>> queue(4);
  std::jthread producer([&] {
    for (int i = 0; i < 500; ++i) queue.push(std::make_unique<Counted>(alive));
    queue.close();
  });
  int received = 0, most = 0;
  while (const auto value = queue.pop()) {
    ++received;
    most = std::max(most, alive.load());
  }
  EXPECT_EQ(received, 500);
  EXPECT_LE(most, 4 + 2);  // those queued, the one just taken and the one that waits for room
}

TEST(BoundedQueue, ClosingFreesAWaitingProducer) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.push(1));
  std::atomic<bool> accepted{true};
  std::jthread producer([&] { accepted = queue.push(2); });
  queue.close();
  producer.join();
  EXPECT_FALSE(accepted);
  EXPECT_FALSE(queue.push(3));
}

TEST(BoundedQueue, ClosingFreesAWaitingConsumer) {
  BoundedQueue<int> queue(1);
  std::optional<int> value = 7;
  std::jthread consumer([&] { value = queue.pop(); });
  queue.close();
  consumer.join();
  EXPECT_FALSE(value);
}

TEST(BoundedQueue, WhatWasPushedBeforeClosingIsStillThere) {
  BoundedQueue<int> queue(2);
  ASSERT_TRUE(queue.push(1));
  queue.close();
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

}  // namespace
}  // namespace pantanal::infer
