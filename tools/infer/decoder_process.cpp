#include "decoder_process.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "decoder_limits.hpp"

namespace pantanal::infer {
namespace {

// Messages keep their bounds (SOCK_SEQPACKET), and each begins with what it is: a decoder that dies between
// two leaves no half one, and its keeper's last word is understood wherever it comes.
enum class Kind : std::uint32_t { window, samples, end, died };

struct Request {
  DecodeOptions options;  // the path follows
};
struct WindowHead {
  Kind kind = Kind::window;
  double start_s = 0, part = 0;
};
struct End {
  Kind kind = Kind::end;
  std::uint32_t failed = 0, code = 0;
  std::array<std::uint32_t, 3> lengths = {};  // of the error's texts, which follow
};
struct Died {
  Kind kind = Kind::died;
  int status = 0;  // as waitpid tells it
};

constexpr std::size_t most_samples = 16384;  // in a message: 64 KiB
constexpr std::size_t longest_text = 16384;
constexpr std::size_t longest_message = sizeof(End) + 3 * longest_text + sizeof(float) * most_samples;

/// Sends a head and what follows it as one message. False if nobody listens.
template <class T>
bool send(int socket, const T& head, std::span<const std::byte> rest = {}) {
  iovec parts[] = {{const_cast<T*>(&head), sizeof head}, {const_cast<std::byte*>(rest.data()), rest.size()}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  for (;;) {
    if (::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

/// The next message, into `bytes`; an empty one if there will be none.
std::span<const std::byte> receive(int socket, std::span<std::byte> bytes) {
  for (;;) {
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (got >= 0) return bytes.first(static_cast<std::size_t>(got));
    if (errno != EINTR) return {};
  }
}

/// The head of a message, if it is as long.
template <class T>
bool take_head(std::span<const std::byte> message, T& head) {
  if (message.size() < sizeof head) return false;
  std::memcpy(&head, message.data(), sizeof head);
  return true;
}

bool send_end(int socket, const Status& status) {
  End end;
  std::string texts;
  if (!status) {
    const Error& error = status.error();
    end.failed = 1;
    end.code = static_cast<std::uint32_t>(error.code);
    for (std::size_t i = 0; const std::string* const text : {&error.where, &error.found, &error.expected}) {
      const std::string kept = text->substr(0, longest_text);
      end.lengths[i++] = static_cast<std::uint32_t>(kept.size());
      texts += kept;
    }
  }
  return send(socket, end, std::as_bytes(std::span(texts)));
}

Status end_status(std::span<const std::byte> message, const std::string& path) {
  const Error nonsense{ErrorCode::internal, path, "a decoder that ended in confusion", "a sound one"};
  End end;
  if (!take_head(message, end)) return nonsense;
  if (end.failed == 0) return {};
  const std::string_view texts(reinterpret_cast<const char*>(message.data()) + sizeof end,
                               message.size() - sizeof end);
  std::size_t at = 0;
  std::array<std::string, 3> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (end.lengths[i] > texts.size() - at) return nonsense;
    parts[i] = texts.substr(at, end.lengths[i]);
    at += end.lengths[i];
  }
  if (end.code > static_cast<std::uint32_t>(ErrorCode::internal)) return nonsense;
  return Error{static_cast<ErrorCode>(end.code), parts[0], parts[1], parts[2]};
}

/// A recording's windows, out through the socket. False if nobody takes them.
bool answer(int socket, const Request& request, const std::string& path, const DecoderLimits& limits,
            DecoderProcess::Decode decode) {
  bool heard = true;
  const auto take = [&](double start_s, double part, std::span<const float> samples) {
    allow_cpu(limits.cpu_seconds);
    heard = send(socket, WindowHead{.start_s = start_s, .part = part});
    for (std::size_t at = 0; heard && at < samples.size(); at += most_samples)
      heard = send(socket, Kind::samples,
                   std::as_bytes(samples.subspan(at, std::min(most_samples, samples.size() - at))));
    return heard;
  };
  Status status;
  allow_cpu(limits.cpu_seconds);
  try {
    status = decode(path, request.options, take);
  } catch (const std::bad_alloc&) {
    status = Error{ErrorCode::internal, path, "a recording that takes more memory than a decoder may have",
                   "at most " + std::to_string(limits.memory >> 20) + " MiB"};
  } catch (const std::exception& failure) {
    status = Error{ErrorCode::internal, path, failure.what(), {}};
  }
  allow_cpu(0);
  return heard && send_end(socket, status);
}

/// The process that decodes: until its socket is closed.
[[noreturn]] void decode_until_closed(int socket, const DecoderLimits& limits,
                                      DecoderProcess::Decode decode) {
  confine(socket, limits);
  (void)drop_rights();
  std::vector<std::byte> bytes(longest_message);
  for (;;) {
    const auto message = receive(socket, bytes);
    Request request;
    if (!take_head(message, request)) ::_exit(0);
    const std::string path(reinterpret_cast<const char*>(message.data()) + sizeof request,
                           message.size() - sizeof request);
    if (!answer(socket, request, path, limits, decode)) ::_exit(0);
  }
}

/// The process that starts those, one after the other, and tells how each ended.
[[noreturn]] void keep(int socket, const DecoderLimits& limits, DecoderProcess::Decode decode) {
  confine(socket, {.memory = limits.memory, .cpu_seconds = 0});
  for (;;) {
    const pid_t decoder = ::fork();
    if (decoder == 0) decode_until_closed(socket, limits, decode);
    int status = 0;
    while (decoder > 0 && ::waitpid(decoder, &status, 0) < 0 && errno == EINTR) {
    }
    if (decoder < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) ::_exit(0);
    if (!send(socket, Died{.status = status})) ::_exit(0);
  }
}

}  // namespace

Result<DecoderProcess> DecoderProcess::start(const DecoderLimits& limits, Decode decode) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return posix_error(errno, "decoder", "a pair of sockets");
  FileDescriptor ours(ends[0]);
  const FileDescriptor theirs(ends[1]);
  const pid_t keeper = ::fork();
  if (keeper < 0) return posix_error(errno, "decoder", "a process more");
  if (keeper == 0) keep(theirs.get(), limits, decode);
  return DecoderProcess(std::move(ours), keeper, limits);
}

DecoderProcess::DecoderProcess(DecoderProcess&& other) noexcept
    : socket_(std::move(other.socket_)),
      keeper_(std::exchange(other.keeper_, 0)),
      limits_(other.limits_),
      is_alive_(other.is_alive_) {}

DecoderProcess::~DecoderProcess() {
  if (keeper_ == 0) return;
  stop();
  while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void DecoderProcess::stop() const {
  ::kill(keeper_, SIGKILL);  // its decoder ends with it
}

Error DecoderProcess::gone(const std::string& path) {
  is_alive_ = false;
  return {ErrorCode::internal, path, "no decoder any more", "a process that decodes"};
}

Status DecoderProcess::decode(const std::filesystem::path& path, const DecodeOptions& options,
                              const TakeWindow& take) {
  const std::string name = path.string();
  if (name.size() > longest_text)
    return Error{ErrorCode::invalid_argument, name, "a name of " + std::to_string(name.size()) + " bytes",
                 "at most " + std::to_string(longest_text)};
  if (!send(socket_.get(), Request{options}, std::as_bytes(std::span(name)))) return gone(name);
  std::vector<std::byte> bytes(longest_message);
  std::vector<float> samples(options.windows.samples);
  WindowHead window;
  for (std::size_t filled = samples.size();;) {
    const auto message = receive(socket_.get(), bytes);
    Kind kind;
    Died died;
    if (!take_head(message, kind)) return gone(name);
    if (kind == Kind::died && take_head(message, died)) return ended(path, died.status);
    if (kind == Kind::end) return end_status(message, name);
    if (kind == Kind::window && take_head(message, window)) filled = 0;
    if (kind != Kind::samples) continue;
    const auto values = message.subspan(sizeof kind);
    if (values.size() % sizeof(float) != 0 || values.size() / sizeof(float) > samples.size() - filled)
      return gone(name);
    if (values.empty()) continue;
    std::memcpy(samples.data() + filled, values.data(), values.size());
    filled += values.size() / sizeof(float);
    if (filled == samples.size() && !take(window.start_s, window.part, samples)) return {};
  }
}

/// What a decoder's end says of the recording.
Error DecoderProcess::ended(const std::filesystem::path& path, int status) const {
  std::string found =
      "a recording on which the decoder ended with code " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
    found = "a recording on which the decoder spent more than " + std::to_string(limits_.cpu_seconds) +
            " s of CPU time without a window";
  else if (WIFSIGNALED(status))
    found = "a recording on which the decoder crashed (" + std::string(::strsignal(WTERMSIG(status))) + ")";
  return {ErrorCode::internal, path.string(), std::move(found), "one that can be decoded"};
}

}  // namespace pantanal::infer
