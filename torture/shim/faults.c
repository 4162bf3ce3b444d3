/*
 * Stands between a program and the kernel's file calls, for tests only (LD_PRELOAD).
 *
 * What it does is read from a file that it maps (FAULTS_CONTROL): rules that a test switches on and off while the program
 * runs. A rule has the calls and directories that it concerns and what becomes of each n-th such call: an error, a short
 * transfer, a pause. The system's clock, and no other, can be stepped. Directories come by FAULTS_DIRECTORIES, separated
 * by colons; a rule names them by their number. The layout of the file is also in fault-control.ts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RULES 16
#define STEPS 256
#define DIRECTORIES 8

/* CALL_CREATE: opening a file to write to it, and making directories. */
enum call {
  CALL_READ = 1,
  CALL_WRITE = 2,
  CALL_SYNC = 4,
  CALL_TRUNCATE = 8,
  CALL_OPEN = 16,
  CALL_UNLINK = 32,
  CALL_CREATE = 64
};

struct rule {
  _Atomic uint32_t on;
  uint32_t calls;
  uint32_t directories;
  uint32_t error;
  uint32_t every;
  uint32_t halve;
  uint32_t pause_us;
  _Atomic uint32_t seen;
  _Atomic uint32_t hits;
  uint32_t unused[7];
};

/* From a moment on, in microseconds of the real clock, the clock is so far ahead. */
struct step {
  int64_t from_us;
  int64_t ahead_us;
};

struct control {
  _Atomic uint32_t any;
  uint32_t unused;
  _Atomic int64_t clock_us;
  _Atomic uint32_t steps;
  uint32_t padding[11];
  struct rule rules[RULES];
  struct step step[STEPS];
};

static struct control *control;
static char *directories[DIRECTORIES];
static size_t directory_count;

__attribute__((constructor)) static void attach(void) {
  const char *file = getenv("FAULTS_CONTROL");
  const char *names = getenv("FAULTS_DIRECTORIES");
  if (file == NULL || names == NULL) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (mapped == MAP_FAILED) return;
  char *copy = strdup(names);
  for (char *rest = copy, *name; directory_count < DIRECTORIES && (name = strsep(&rest, ":")) != NULL;)
    directories[directory_count++] = name;
  control = mapped;
}

/* The calls that stand behind ours. */
#define NEXT(name) \
  ({ \
    static _Atomic(__typeof__(&name)) found; \
    __typeof__(&name) call = found; \
    if (call == NULL) { \
      call = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
      found = call; \
    } \
    call; \
  })

static uint32_t directory_of(const char *path) {
  for (size_t i = 0; i < directory_count; i++) {
    size_t length = strlen(directories[i]);
    if (length > 0 && strncmp(path, directories[i], length) == 0 && (path[length] == '/' || path[length] == 0))
      return 1u << i;
  }
  return 0;
}

/* A deleted file's name ends in " (deleted)", which changes nothing at its beginning. */
static uint32_t directory_of_fd(int fd) {
  char link[64];
  char path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return directory_of(path);
}

static int is_watched(uint32_t calls) {
  if (control == NULL || atomic_load_explicit(&control->any, memory_order_relaxed) == 0) return 0;
  for (int i = 0; i < RULES; i++)
    if (control->rules[i].on != 0 && (control->rules[i].calls & calls) != 0) return 1;
  return 0;
}

/* Gives the error to end with, or 0; `halved` tells that only a part is to be transferred. */
static int judge(uint32_t call, uint32_t directory, int *halved) {
  *halved = 0;
  if (directory == 0) return 0;
  for (int i = 0; i < RULES; i++) {
    struct rule *rule = &control->rules[i];
    if (rule->on == 0 || (rule->calls & call) == 0 || (rule->directories & directory) == 0) continue;
    uint32_t every = rule->every == 0 ? 1 : rule->every;
    if ((atomic_fetch_add(&rule->seen, 1) + 1) % every != 0) continue;
    atomic_fetch_add(&rule->hits, 1);
    if (rule->pause_us > 0) {
      struct timespec pause = {rule->pause_us / 1000000, (long)(rule->pause_us % 1000000) * 1000};
      syscall(SYS_nanosleep, &pause, NULL);
    }
    if (rule->halve != 0) *halved = 1;
    if (rule->error != 0) return (int)rule->error;
  }
  return 0;
}

static int judge_fd(uint32_t call, int fd, int *halved) {
  int before = errno;
  int error = judge(call, directory_of_fd(fd), halved);
  errno = error == 0 ? before : error;
  return error;
}

static size_t part(size_t count, int halved) { return halved && count > 1 ? count / 2 : count; }

#define TRANSFER(call, fd, count, real) \
  int halved = 0; \
  if (is_watched(call) && judge_fd(call, fd, &halved) != 0) return -1; \
  size_t length = part(count, halved); \
  return real;

ssize_t read(int fd, void *buffer, size_t count) {
  TRANSFER(CALL_READ, fd, count, NEXT(read)(fd, buffer, length))
}

ssize_t pread64(int fd, void *buffer, size_t count, off64_t offset) {
  TRANSFER(CALL_READ, fd, count, NEXT(pread64)(fd, buffer, length, offset))
}

ssize_t pread(int fd, void *buffer, size_t count, off_t offset) {
  TRANSFER(CALL_READ, fd, count, NEXT(pread)(fd, buffer, length, offset))
}

ssize_t write(int fd, const void *buffer, size_t count) {
  TRANSFER(CALL_WRITE, fd, count, NEXT(write)(fd, buffer, length))
}

ssize_t pwrite64(int fd, const void *buffer, size_t count, off64_t offset) {
  TRANSFER(CALL_WRITE, fd, count, NEXT(pwrite64)(fd, buffer, length, offset))
}

ssize_t pwrite(int fd, const void *buffer, size_t count, off_t offset) {
  TRANSFER(CALL_WRITE, fd, count, NEXT(pwrite)(fd, buffer, length, offset))
}

/* Of several buffers a short transfer is half of the first one. */
#define TRANSFER_BUFFERS(call, fd, buffers, count, single, real) \
  int halved = 0; \
  if (is_watched(call) && judge_fd(call, fd, &halved) != 0) return -1; \
  if (halved && count > 0 && buffers[0].iov_len > 1) { \
    struct iovec half = {buffers[0].iov_base, buffers[0].iov_len / 2}; \
    return single; \
  } \
  return real;

ssize_t readv(int fd, const struct iovec *buffers, int count) {
  TRANSFER_BUFFERS(CALL_READ, fd, buffers, count, NEXT(readv)(fd, &half, 1), NEXT(readv)(fd, buffers, count))
}

ssize_t preadv(int fd, const struct iovec *buffers, int count, off_t offset) {
  TRANSFER_BUFFERS(CALL_READ, fd, buffers, count, NEXT(preadv)(fd, &half, 1, offset),
                   NEXT(preadv)(fd, buffers, count, offset))
}

ssize_t writev(int fd, const struct iovec *buffers, int count) {
  TRANSFER_BUFFERS(CALL_WRITE, fd, buffers, count, NEXT(writev)(fd, &half, 1), NEXT(writev)(fd, buffers, count))
}

ssize_t pwritev(int fd, const struct iovec *buffers, int count, off_t offset) {
  TRANSFER_BUFFERS(CALL_WRITE, fd, buffers, count, NEXT(pwritev)(fd, &half, 1, offset),
                   NEXT(pwritev)(fd, buffers, count, offset))
}

#define WHOLE(call, fd, real) \
  int halved = 0; \
  if (is_watched(call) && judge_fd(call, fd, &halved) != 0) return -1; \
  return real;

int fsync(int fd) { WHOLE(CALL_SYNC, fd, NEXT(fsync)(fd)) }
int fdatasync(int fd) { WHOLE(CALL_SYNC, fd, NEXT(fdatasync)(fd)) }
int ftruncate(int fd, off_t length) { WHOLE(CALL_TRUNCATE, fd, NEXT(ftruncate)(fd, length)) }
int ftruncate64(int fd, off64_t length) { WHOLE(CALL_TRUNCATE, fd, NEXT(ftruncate64)(fd, length)) }

static int fails_at(uint32_t call, const char *path) {
  int halved;
  if (!is_watched(call) || path == NULL) return 0;
  int error = judge(call, directory_of(path), &halved);
  if (error != 0) errno = error;
  return error != 0;
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = mode_of(flags, rest); \
    va_end(rest); \
    if (fails_at(CALL_OPEN, path)) return -1; \
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0 && fails_at(CALL_CREATE, path)) return -1; \
    return NEXT(name)(path, flags, mode); \
  }

OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) { return fails_at(CALL_CREATE, path) ? -1 : NEXT(mkdir)(path, mode); }

int unlink(const char *path) { return fails_at(CALL_UNLINK, path) ? -1 : NEXT(unlink)(path); }

static int64_t step_us(void) { return control == NULL ? 0 : atomic_load_explicit(&control->clock_us, memory_order_relaxed); }

static void shift(struct timespec *at, int64_t us) {
  int64_t ns = (int64_t)at->tv_nsec + us % 1000000 * 1000;
  at->tv_sec += us / 1000000 + (ns < 0 ? -1 : ns / 1000000000);
  at->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  int result = NEXT(clock_gettime)(clock, at);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(at, step_us());
  return result;
}

/* A file has the time that the clock showed when it was written, before or after a step. */
static void shift_time_of_file(struct statx_timestamp *at) {
  int64_t us = at->tv_sec * 1000000 + at->tv_nsec / 1000;
  for (uint32_t i = atomic_load(&control->steps); i > 0; i--) {
    const struct step *step = &control->step[(i - 1) % STEPS];
    if (us < step->from_us) continue;
    struct timespec shown = {at->tv_sec, at->tv_nsec};
    shift(&shown, step->ahead_us);
    at->tv_sec = shown.tv_sec;
    at->tv_nsec = (uint32_t)shown.tv_nsec;
    return;
  }
}

static void shift_times_of_file(struct statx *found) {
  if (control == NULL || atomic_load(&control->steps) == 0) return;
  shift_time_of_file(&found->stx_atime);
  shift_time_of_file(&found->stx_btime);
  shift_time_of_file(&found->stx_ctime);
  shift_time_of_file(&found->stx_mtime);
}

int statx(int directory, const char *restrict path, int flags, unsigned int mask, struct statx *restrict found) {
  int result = NEXT(statx)(directory, path, flags, mask, found);
  if (result == 0) shift_times_of_file(found);
  return result;
}

/* libuv asks so for the times of files. */
long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  long result = NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (number == SYS_statx && result == 0) shift_times_of_file((struct statx *)a[4]);
  return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  int result = NEXT(gettimeofday)(at, zone);
  if (result != 0) return result;
  struct timespec exact = {at->tv_sec, at->tv_usec * 1000};
  shift(&exact, step_us());
  at->tv_sec = exact.tv_sec;
  at->tv_usec = exact.tv_nsec / 1000;
  return result;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}
