#include "interruption.hpp"

#include <signal.h>

#include <atomic>

namespace pantanal::infer {
namespace {

std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler sets it");

}  // namespace

void watch_for_interruption() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) { received = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // and no SA_RESTART: a blocked write must return
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction before = {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);  // nohup ignores SIGHUP
  }
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is a failed write, reported and cleaned up
}

bool interrupted() { return received != 0; }

void end_by_signal() {
  if (!interrupted()) return;
  ::signal(received, SIG_DFL);
  ::raise(received);
}

}  // namespace pantanal::infer
