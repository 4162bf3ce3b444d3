/*
 * Records every change below AUDITAIL_RECORD_ROOT that the program makes through libc, and every sync, in the order in
 * which they happen: for LD_PRELOAD. torture/power-loss/operation.ts reads what is appended to AUDITAIL_RECORD.
 *
 * A change and its record are one step for all threads of the process. A sync has two records, because it covers for
 * certain only what was done before it began, and holds for certain only when it has ended.
 *
 * No inode is ever freed: what is unlinked keeps a name in AUDITAIL_RECORD_INODES, its number. So numbers are never used
 * twice, and the very file can be put back into its place.
 *
 * With AUDITAIL_RECORD_KILL_AT=N the process is killed with its N-th record: nothing is done that is not recorded.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE, WRITE, TRUNCATE, RENAME, UNLINK, MKDIR, LINK, SYNC_BEGIN, SYNC_END };

/* Little-endian, as the machines are that this runs on. Two paths and the data follow. */
struct header {
  uint32_t size, operation, thread, path_length, target_length, data_length;
  uint64_t inode, offset;
};

#define MAX_FDS 65536
#define REAL(name) ((__typeof__(&name))real(#name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t inode_of_fd[MAX_FDS];
static const char *root, *inodes;
static size_t root_length;
static dev_t device;
static int record_fd = -1;
static long kill_at, records;

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char *record = getenv("AUDITAIL_RECORD"), *at = getenv("AUDITAIL_RECORD_KILL_AT");
  root = getenv("AUDITAIL_RECORD_ROOT");
  inodes = getenv("AUDITAIL_RECORD_INODES");
  if (record == NULL || root == NULL || inodes == NULL) return;
  struct stat64 found;
  if (lstat64(root, &found) != 0) abort();
  device = found.st_dev;
  root_length = strlen(root);
  kill_at = at == NULL ? 0 : atol(at);
  record_fd = REAL(open64)(record, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (record_fd < 0) abort();
}

/* The absolute path, when it lies below the root. */
static int is_recorded(int at, const char *path, char *full) {
  if (record_fd < 0 || path == NULL) return 0;
  if (path[0] == '/') {
    if (snprintf(full, PATH_MAX, "%s", path) >= PATH_MAX) return 0;
  } else {
    char link[64], directory[PATH_MAX];
    if (at == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, directory, sizeof directory - 1);
    if (length < 0) return 0;
    directory[length] = 0;
    if (snprintf(full, PATH_MAX, "%s/%s", directory, path) >= PATH_MAX) return 0;
  }
  return strncmp(full, root, root_length) == 0 && (full[root_length] == '/' || full[root_length] == 0);
}

static void append(uint32_t operation, uint64_t inode, uint64_t offset, const char *path, const char *target,
                   const struct iovec *data, int count, size_t length) {
  struct iovec parts[3 + 64];
  struct header header = {.operation = operation, .thread = (uint32_t)gettid(), .inode = inode, .offset = offset};
  header.path_length = (uint32_t)strlen(path);
  header.target_length = (uint32_t)strlen(target);
  header.data_length = (uint32_t)length;
  header.size = (uint32_t)(sizeof header + header.path_length + header.target_length + length);
  parts[0] = (struct iovec){&header, sizeof header};
  parts[1] = (struct iovec){(void *)path, header.path_length};
  parts[2] = (struct iovec){(void *)target, header.target_length};
  int used = 3;
  for (int i = 0; i < count && length > 0; i++) {
    if (used == (int)(sizeof parts / sizeof parts[0])) abort();
    size_t part = data[i].iov_len < length ? data[i].iov_len : length;
    parts[used++] = (struct iovec){data[i].iov_base, part};
    length -= part;
  }
  /* Half a record would make the rest unreadable. */
  if (REAL(writev)(record_fd, parts, used) != (ssize_t)header.size) abort();
  if (++records == kill_at) kill(getpid(), SIGKILL);
}

static uint64_t inode_at(const char *path) {
  struct stat64 found;
  return lstat64(path, &found) == 0 ? found.st_ino : 0;
}

static void keep_inode(const char *path) {
  struct stat64 found;
  char kept[PATH_MAX];
  if (lstat64(path, &found) != 0 || S_ISDIR(found.st_mode)) return;
  snprintf(kept, sizeof kept, "%s/%llu", inodes, (unsigned long long)found.st_ino);
  if (REAL(link)(path, kept) != 0 && errno != EEXIST) abort();
}

/* The inode of a descriptor that was opened below the root. libuv closes without libc, so the number may be another's. */
static uint64_t tracked(int fd) {
  struct stat64 now;
  if (fd < 0 || fd >= MAX_FDS || inode_of_fd[fd] == 0) return 0;
  int is_same = fstat64(fd, &now) == 0 && now.st_ino == inode_of_fd[fd] && now.st_dev == device;
  return is_same ? now.st_ino : 0;
}

static int do_open(int at, const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  if (!is_recorded(at, path, full)) return REAL(openat64)(at, path, flags, mode);
  struct stat64 before, after;
  pthread_mutex_lock(&lock);
  int existed = lstat64(full, &before) == 0;
  int fd = REAL(openat64)(at, path, flags, mode);
  if (fd >= 0 && fstat64(fd, &after) == 0) {
    if (fd >= MAX_FDS) abort();
    inode_of_fd[fd] = after.st_ino;
    if (!existed) append(CREATE, after.st_ino, after.st_mode & 07777, full, "", NULL, 0, 0);
    else if ((flags & O_TRUNC) != 0 && before.st_size > 0) append(TRUNCATE, after.st_ino, 0, "", "", NULL, 0, 0);
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

#define OPENED(last)                                        \
  mode_t mode = 0;                                          \
  if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) != 0) { \
    va_list arguments;                                      \
    va_start(arguments, last);                              \
    mode = va_arg(arguments, mode_t);                       \
    va_end(arguments);                                      \
  }

int open(const char *path, int flags, ...) { OPENED(flags) return do_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { OPENED(flags) return do_open(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { OPENED(flags) return do_open(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { OPENED(flags) return do_open(at, path, flags, mode); }

/* `offset` below 0: at the descriptor's own position, which an append moves to the end first. */
static ssize_t do_write(int fd, const struct iovec *data, int count, off64_t offset) {
  uint64_t inode = tracked(fd);
  if (inode != 0) pthread_mutex_lock(&lock);
  ssize_t done = offset < 0 ? REAL(writev)(fd, data, count) : REAL(pwritev64)(fd, data, count, offset);
  if (inode == 0) return done;
  int error = errno;
  if (done > 0) {
    uint64_t at = (uint64_t)(offset < 0 ? lseek64(fd, 0, SEEK_CUR) - done : offset);
    append(WRITE, inode, at, "", "", data, count, (size_t)done);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return done;
}

ssize_t write(int fd, const void *buffer, size_t length) {
  if (tracked(fd) == 0) return REAL(write)(fd, buffer, length);
  struct iovec one = {(void *)buffer, length};
  return do_write(fd, &one, 1, -1);
}
ssize_t pwrite64(int fd, const void *buffer, size_t length, off64_t offset) {
  struct iovec one = {(void *)buffer, length};
  return do_write(fd, &one, 1, offset);
}
ssize_t pwrite(int fd, const void *buffer, size_t length, off_t offset) { return pwrite64(fd, buffer, length, offset); }
ssize_t writev(int fd, const struct iovec *data, int count) { return do_write(fd, data, count, -1); }
ssize_t pwritev(int fd, const struct iovec *data, int count, off_t offset) { return do_write(fd, data, count, offset); }
ssize_t pwritev64(int fd, const struct iovec *data, int count, off64_t offset) {
  return do_write(fd, data, count, offset);
}

int ftruncate64(int fd, off64_t length) {
  uint64_t inode = tracked(fd);
  if (inode == 0) return REAL(ftruncate64)(fd, length);
  pthread_mutex_lock(&lock);
  int result = REAL(ftruncate64)(fd, length);
  if (result == 0) append(TRUNCATE, inode, (uint64_t)length, "", "", NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int truncate64(const char *path, off64_t length) {
  char full[PATH_MAX];
  if (!is_recorded(AT_FDCWD, path, full)) return REAL(truncate64)(path, length);
  pthread_mutex_lock(&lock);
  int result = REAL(truncate64)(path, length);
  if (result == 0) append(TRUNCATE, inode_at(full), (uint64_t)length, "", "", NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}
int truncate(const char *path, off_t length) { return truncate64(path, length); }

int rename(const char *from, const char *to) {
  char full[PATH_MAX], target[PATH_MAX];
  int leaves = is_recorded(AT_FDCWD, from, full), arrives = is_recorded(AT_FDCWD, to, target);
  if (!leaves && !arrives) return REAL(rename)(from, to);
  /* Neither the program nor SQLite moves files into or out of its directories. */
  if (!leaves || !arrives) abort();
  pthread_mutex_lock(&lock);
  keep_inode(target);
  uint64_t inode = inode_at(full);
  int result = REAL(rename)(from, to);
  if (result == 0) append(RENAME, inode, 0, full, target, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

int link(const char *from, const char *to) {
  char full[PATH_MAX];
  if (!is_recorded(AT_FDCWD, to, full)) return REAL(link)(from, to);
  pthread_mutex_lock(&lock);
  int result = REAL(link)(from, to);
  if (result == 0) append(LINK, inode_at(full), 0, full, "", NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

static int do_unlink(int at, const char *path, int flags) {
  char full[PATH_MAX];
  if (!is_recorded(at, path, full)) return REAL(unlinkat)(at, path, flags);
  pthread_mutex_lock(&lock);
  keep_inode(full);
  uint64_t inode = inode_at(full);
  int result = REAL(unlinkat)(at, path, flags);
  if (result == 0) append(UNLINK, inode, 0, full, "", NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}
int unlink(const char *path) { return do_unlink(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return do_unlink(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int at, const char *path, int flags) { return do_unlink(at, path, flags); }
int remove(const char *path) {
  int result = do_unlink(AT_FDCWD, path, 0);
  return result != 0 && (errno == EISDIR || errno == EPERM) ? do_unlink(AT_FDCWD, path, AT_REMOVEDIR) : result;
}

int mkdir(const char *path, mode_t mode) {
  char full[PATH_MAX];
  if (!is_recorded(AT_FDCWD, path, full)) return REAL(mkdir)(path, mode);
  pthread_mutex_lock(&lock);
  int result = REAL(mkdir)(path, mode);
  if (result == 0) append(MKDIR, inode_at(full), 0, full, "", NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

static void append_sync(uint32_t operation, uint64_t inode) {
  pthread_mutex_lock(&lock);
  append(operation, inode, 0, "", "", NULL, 0, 0);
  pthread_mutex_unlock(&lock);
}

static int do_sync(int fd, int (*sync)(int)) {
  uint64_t inode = tracked(fd);
  if (inode != 0) append_sync(SYNC_BEGIN, inode);
  int result = sync(fd);
  if (inode != 0 && result == 0) append_sync(SYNC_END, inode);
  return result;
}
int fsync(int fd) { return do_sync(fd, REAL(fsync)); }
int fdatasync(int fd) { return do_sync(fd, REAL(fdatasync)); }
