// Loaded into each process of one machine with LD_PRELOAD. Writes down each change of a file below SYNCLOG_ROOT, each
// sync that was completed and each message between a client and a PostgreSQL server, in the order in which they happened,
// and stops the machine, or a part of it, just before a chosen one. Between two steps nothing below the root changes, and
// nobody is told anything, so these are all the points at which a kill differs.
//
// SYNCLOG_ROOT     absolute path without links
// SYNCLOG_FILE     where the steps go, outside the root
// SYNCLOG_MACHINE  what the processes share: see machine.h
// SYNCLOG_WHO      which process this is
// SYNCLOG_LIES     set: syncs say that they are done, and do nothing
#define _GNU_SOURCE
#include "machine.h"
#include "places.h"
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/uio.h>

// As it stands in the log (steps.ts reads it), followed by `length` bytes: what was written, or names.
struct step {
  char op;        // w write, t truncate, s sync begins, S sync is done, c create, u unlink, r rename, m message
  char place;     // see place_of
  char half;      // a write is done in two halves, 1 and 2, so that a kill can fall between them
  char prevented; // 0: it happened; k: killed before it; f: it failed
  uint32_t length;
  uint64_t inode;
  uint64_t offset; // of a truncation: the new size
  uint64_t process;
};

static int (*real_open)(const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_send)(int, const void *, size_t, int);
static int (*real_truncate)(const char *, off64_t);
static int (*real_posix_fallocate)(int, off64_t, off64_t);
static pid_t (*real_fork)(void);

static int log_file = -1;
static int lies;

__attribute__((constructor)) static void start(void) {
  real_open = dlsym(RTLD_NEXT, "open64");
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_rename = dlsym(RTLD_NEXT, "rename");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_send = dlsym(RTLD_NEXT, "send");
  real_truncate = dlsym(RTLD_NEXT, "truncate64");
  real_posix_fallocate = dlsym(RTLD_NEXT, "posix_fallocate64");
  real_fork = dlsym(RTLD_NEXT, "fork");
  const char *file = getenv("SYNCLOG_FILE"), *shared = getenv("SYNCLOG_MACHINE"), *name = getenv("SYNCLOG_WHO");
  if (!getenv("SYNCLOG_ROOT") || !file || !shared || !name) return;
  lies = getenv("SYNCLOG_LIES") != NULL;
  int fd = real_open(shared, O_RDWR | O_CLOEXEC);
  if (fd < 0) abort();
  join_machine(fd, name);
  fd = real_open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) abort();
  log_file = fd;
  root = strdup(getenv("SYNCLOG_ROOT")); // PostgreSQL writes over its environment
}

static void put_down(struct step step, const void *bytes) {
  struct iovec parts[] = {{&step, sizeof step}, {(void *)bytes, step.length}};
  if (syscall(SYS_writev, log_file, parts, 2) != (ssize_t)(sizeof step + step.length)) abort();
}

static int is_aimed_at(struct step step) {
  if (machine->who != who) return 0;
  // SQLite goes on where a folder cannot be synced, and so do we.
  if (machine->how == 'f' && step.place == 'n') return 0;
  if (machine->place == '*') return 1;
  if (machine->place != 's') return machine->place == step.place;
  return (step.op == 's' || step.op == 'S') && step.place != 'e' && step.place != 'a';
}

// Before each step, with the lock held. True: the step is to fail.
static int is_prevented(struct step step, const void *bytes) {
  if (!is_aimed_at(step) || ++machine->seen != machine->at) return 0;
  step.prevented = machine->how;
  put_down(step, bytes);
  if (machine->how == 'k') {
    machine->stopped |= machine->stops;
    die();
  }
  errno = step.op == 'w' ? ENOSPC : EIO;
  return 1;
}

// What is sent can be taken back by nobody. It is written down before, so an answer cannot come before its question.
static void message(int fd) {
  struct stat status;
  if (place_of_file(fd, &status) != 'm') return;
  struct step step = {'m', 'm', 0, 0, 0, 0, 0, getpid()};
  lock();
  is_prevented(step, NULL);
  put_down(step, NULL);
  unlock();
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  message(fd);
  return real_send(fd, bytes, length, flags);
}

// `at` below 0: where the file stands.
static ssize_t change(int fd, const char *bytes, size_t length, off64_t at) {
  struct stat status;
  char place = place_of_file(fd, &status);
  if (place == 'm') message(fd);
  if (!place || place == 'm') return at < 0 ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, at);
  lock();
  fstat(fd, &status);
  off64_t from = at >= 0 ? at : fcntl(fd, F_GETFL) & O_APPEND ? status.st_size : lseek64(fd, 0, SEEK_CUR);
  size_t done = 0;
  for (char half = 1; half <= 2; half++) {
    size_t now = half == 1 ? length / 2 : length - done;
    if (now == 0) continue;
    struct step step = {'w', place, half, 0, now, status.st_ino, from + done, getpid()};
    if (is_prevented(step, bytes + done)) break;
    if ((at < 0 ? real_write(fd, bytes + done, now) : real_pwrite(fd, bytes + done, now, at + done)) != (ssize_t)now)
      abort();
    put_down(step, bytes + done);
    done += now;
  }
  unlock();
  return done < length && done == 0 ? -1 : (ssize_t)done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return change(fd, bytes, length, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off64_t at) { return change(fd, bytes, length, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return change(fd, bytes, length, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
  message(fd);
  return real_writev(fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off64_t at) {
  ssize_t done = 0;
  for (int i = 0; i < count; i++) {
    ssize_t now = change(fd, parts[i].iov_base, parts[i].iov_len, at + done);
    if (now < 0) return done ? done : now;
    done += now;
  }
  return done;
}

// The lock is not held meanwhile: a kill elsewhere may fall into the sync.
static int sync_file(int fd, int (*real)(int)) {
  struct stat status;
  char place = place_of_file(fd, &status);
  if (!place) return real(fd);
  struct step begins = {'s', place, 0, 0, 0, status.st_ino, 0, getpid()}, done = begins;
  done.op = 'S';
  lock();
  int failed = is_prevented(begins, NULL);
  if (!failed) put_down(begins, NULL);
  unlock();
  if (failed) return -1;
  if (lies) return 0;
  if (real(fd) != 0) abort();
  lock();
  failed = is_prevented(done, NULL);
  if (!failed) put_down(done, NULL);
  unlock();
  return failed ? -1 : 0;
}

static int at_once(int fd) { return 0; }

// What reaches the disk is worked out from what is written down, so a server need not wait for all that it syncs here.
int fsync(int fd) { return sync_file(fd, who == 's' ? at_once : real_fsync); }
int fdatasync(int fd) { return sync_file(fd, real_fdatasync); }

static int resize(int fd, off64_t size) {
  struct stat status;
  char place = place_of_file(fd, &status);
  if (!place) return real_ftruncate(fd, size);
  struct step step = {'t', place, 0, 0, 0, status.st_ino, size, getpid()};
  lock();
  int result = is_prevented(step, NULL) ? -1 : real_ftruncate(fd, size);
  if (result == 0) put_down(step, NULL);
  unlock();
  return result;
}

int ftruncate(int fd, off64_t size) { return resize(fd, size); }
int ftruncate64(int fd, off64_t size) { return resize(fd, size); }

int truncate(const char *path, off64_t size) {
  char whole[4096];
  if (!place_of(name_of(path, whole))) return real_truncate(path, size);
  int fd = real_open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = resize(fd, size), error = errno;
  close(fd);
  errno = error;
  return result;
}

int posix_fallocate(int fd, off64_t from, off64_t length) {
  struct stat status;
  if (!place_of_file(fd, &status)) return real_posix_fallocate(fd, from, length);
  if (status.st_size >= from + length) return 0;
  return resize(fd, from + length) == 0 ? 0 : errno;
}

pid_t fork(void) { return fork_under(real_fork); }

static int open_file(const char *path, int flags, mode_t mode) {
  char whole[4096];
  const char *name = flags & (O_CREAT | O_TRUNC) ? name_of(path, whole) : NULL;
  char place = place_of(name);
  if (!place) return real_open(path, flags, mode);
  lock();
  int exists = access(path, F_OK) == 0;
  struct step step = {exists ? 't' : 'c', place, 0, 0, exists ? 0 : strlen(name), 0, 0, getpid()};
  int changes = exists ? flags & O_TRUNC : flags & O_CREAT;
  int fd = changes && is_prevented(step, name) ? -1 : real_open(path, flags, mode);
  struct stat status;
  if (changes && fd >= 0 && fstat(fd, &status) == 0) {
    step.inode = status.st_ino;
    put_down(step, name);
  }
  unlock();
  return fd;
}

#define OPEN(name)                                                                                             \
  int name(const char *path, int flags, ...) {                                                                 \
    va_list rest;                                                                                              \
    va_start(rest, flags);                                                                                     \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                                  \
    va_end(rest);                                                                                              \
    return open_file(path, flags, mode);                                                                       \
  }
OPEN(open)
OPEN(open64)

int unlink(const char *path) {
  char whole[4096];
  const char *name = name_of(path, whole);
  char place = place_of(name);
  if (!place) return real_unlink(path);
  struct step step = {'u', place, 0, 0, strlen(name), 0, 0, getpid()};
  lock();
  int result = is_prevented(step, name) ? -1 : real_unlink(path);
  if (result == 0) put_down(step, name);
  unlock();
  return result;
}

int rename(const char *from, const char *to) {
  char wholes[2][4096], names[8192];
  const char *old = name_of(from, wholes[0]), *new = name_of(to, wholes[1]);
  char place = place_of(old);
  if (!place || !place_of(new)) return real_rename(from, to);
  int length = snprintf(names, sizeof names, "%s\n%s", old, new);
  struct step step = {'r', place, 0, 0, length, 0, 0, getpid()};
  lock();
  int result = is_prevented(step, names) ? -1 : real_rename(from, to);
  if (result == 0) put_down(step, names);
  unlock();
  return result;
}
