#include "decoder_limits.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace pantanal::infer {
namespace {

/// Bytes of address space in use; 0 if that is not to be known.
std::size_t address_space() {
  unsigned long pages = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void limit(decltype(RLIMIT_AS) resource, std::size_t value) {
  const rlimit limits = {value, value};
  ::setrlimit(resource, &limits);
}

void close_others(int socket) {
#if defined(SYS_close_range)
  if ((socket == 3 || ::syscall(SYS_close_range, 3, socket - 1, 0) == 0) &&
      ::syscall(SYS_close_range, socket + 1, ~0u, 0) == 0)
    return;
#endif
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (int i = 3; i < most && i < 65536; ++i)
    if (i != socket) ::close(i);
}

/// What libraries write there, such as libmpg123 under libsndfile, is no message of the program.
void silence_standard_streams() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which report there
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, stream);
  if (nowhere > STDERR_FILENO) ::close(nowhere);
#endif
}

#if defined(__x86_64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t this_architecture = 0;
#endif

// Refused whatever their arguments. Those that end in "at" are all that ARM has.
constexpr std::uint32_t refused_calls[] = {
#if defined(__x86_64__)
    SYS_creat,
    SYS_unlink,
    SYS_rename,
    SYS_mkdir,
    SYS_rmdir,
    SYS_link,
    SYS_symlink,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_mknod,
    SYS_fork,
    SYS_vfork,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
#endif
    SYS_unlinkat,
    SYS_renameat2,
    SYS_mkdirat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_mknodat,
    SYS_utimensat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_execve,
    SYS_execveat,
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_mount,
    SYS_umount2,
    SYS_chroot,
    SYS_pivot_root,
    SYS_unshare,
    SYS_setns,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_removexattr,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_prlimit64,
    SYS_memfd_create,
    SYS_shmget,
    SYS_msgget,
    SYS_semget,
    SYS_userfaultfd,
    SYS_io_uring_setup};

class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, this_architecture, 1, 0);
    answer(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
    constexpr std::uint32_t x32 = 0x40000000;
    add(BPF_JMP | BPF_JGE | BPF_K, x32, 0, 1);
    answer(SECCOMP_RET_KILL_PROCESS);
    refuse_if_any(SYS_open, 1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
#endif
    refuse_if_any(SYS_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
    for (const std::uint32_t call : refused_calls) answer_to(call, EPERM);
    answer_to(SYS_clone3, ENOSYS);  // its flags are out of sight: the C library then takes clone
#if defined(SYS_openat2)
    answer_to(SYS_openat2, ENOSYS);
#endif
    refuse_unless(SYS_clone, 0, CLONE_THREAD);
    allow_only_to(SYS_tgkill, 0, static_cast<std::uint32_t>(::getpid()));  // abort() signals its own process
    answer(SECCOMP_RET_ALLOW);
  }

  bool install() {
    const sock_fprog program = {static_cast<unsigned short>(code_.size()), code_.data()};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  }

 private:
  void add(int code, std::uint32_t value, int if_so = 0, int if_not = 0) {
    code_.push_back({static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_so),
                     static_cast<std::uint8_t>(if_not), value});
  }
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void answer(std::uint32_t value) { add(BPF_RET | BPF_K, value); }

  void answer_to(std::uint32_t call, int error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    answer(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
  }
  /// With any, or with none, of these bits in the low half of an argument. The number of the call is loaded
  /// again.
  void refuse_if_any(std::uint32_t call, std::size_t argument, int bits) {
    refuse(call, argument, bits, true);
  }
  void refuse_unless(std::uint32_t call, std::size_t argument, int bits) {
    refuse(call, argument, bits, false);
  }
  void allow_only_to(std::uint32_t call, std::size_t argument, std::uint32_t value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    load(offsetof(seccomp_data, args) + 8 * argument);
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    answer(SECCOMP_RET_ERRNO | EPERM);
    load(offsetof(seccomp_data, nr));
  }
  void refuse(std::uint32_t call, std::size_t argument, int bits, bool if_set) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    load(offsetof(seccomp_data, args) + 8 * argument);
    add(BPF_JMP | BPF_JSET | BPF_K, static_cast<std::uint32_t>(bits), if_set ? 0 : 1, if_set ? 1 : 0);
    answer(SECCOMP_RET_ERRNO | EPERM);
    load(offsetof(seccomp_data, nr));
  }

  std::vector<sock_filter> code_;
};

}  // namespace

void confine(int socket, const DecoderLimits& limits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(signal, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  close_others(socket);
  silence_standard_streams();
  limit(RLIMIT_CORE, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which map terabytes
  if (const std::size_t used = address_space(); used > 0) limit(RLIMIT_AS, used + limits.memory);
#else
  (void)limits, (void)address_space;
#endif
}

bool drop_rights() {
  if (this_architecture == 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  return Filter().install();
}

void allow_cpu(int seconds) {
  itimerval timer = {};
  timer.it_value.tv_sec = seconds;
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

}  // namespace pantanal::infer
