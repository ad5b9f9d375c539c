// Runs pantanal-infer as a user would.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "io/temporary_folder.hpp"

namespace pantanal::infer {

/// What a finished program left.
struct Finished {
  int code = -1;    ///< its exit code, -1 if a signal ended it
  int signal = 0;   ///< the signal that did
  std::string out;  ///< its standard output, if that was not redirected
  std::string err;
  long peak_kib = 0;  ///< resident at once
};

/// A program that is running.
class Program {
 public:
  /// Standard output goes to `out`; if that is empty, it is closed.
  Program(std::vector<std::string> arguments, const std::filesystem::path& folder,
          const std::filesystem::path& out, const std::filesystem::path& err)
      : err_(err) {
    arguments.insert(arguments.begin(), PANTANAL_INFER);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    id_ = ::fork();
    if (id_ != 0) return;
    ::close(STDOUT_FILENO);
    if (!out.empty()) redirect(out, STDOUT_FILENO);
    redirect(err, STDERR_FILENO);
    if (::chdir(folder.c_str()) == 0) ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }

  void end_by(int signal) const { ::kill(id_, signal); }
  pid_t id() const { return id_; }

  Finished wait() const {
    int status = 0;
    rusage usage = {};
    ::wait4(id_, &status, 0, &usage);
    Finished finished;
    finished.peak_kib = usage.ru_maxrss;
    if (WIFEXITED(status)) finished.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) finished.signal = WTERMSIG(status);
    finished.err = read_bytes(err_);
    return finished;
  }

 private:
  static void redirect(const std::filesystem::path& path, int descriptor) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file == descriptor) return;
    ::dup2(file, descriptor);
    ::close(file);
  }

  std::filesystem::path err_;
  pid_t id_ = -1;
};

/// Runs the program in `folder` to its end.
inline Finished run(std::vector<std::string> arguments, const std::filesystem::path& folder) {
  const TemporaryFolder scratch;
  const Program program(std::move(arguments), folder, scratch / "out", scratch / "err");
  Finished finished = program.wait();
  finished.out = read_bytes(scratch / "out");
  return finished;
}

}  // namespace pantanal::infer
