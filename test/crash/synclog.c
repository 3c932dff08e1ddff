// Loaded into each process of one machine with LD_PRELOAD. Writes down each change of a file below SYNCLOG_ROOT and
// each sync that was completed, in the order in which they happened, and stops the machine just before a chosen one:
// the process that comes to it is killed, and every other one at its own next step. Between two steps nothing below
// the root changes, so these are all the points at which a kill differs.
//
// SYNCLOG_ROOT  absolute path without links
// SYNCLOG_FILE  where the steps go, outside the root; beside it, the lock of all processes that share it
// SYNCLOG_AIM   "kill w 12": SIGKILL before the 12th step in that place (see place_of), "*": in any place,
//               "s": that is part of a sync of the store; "fail w 12": that step fails, and the process goes on
// SYNCLOG_LIES  set: syncs say that they are done, and do nothing
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// As it stands in the log (steps.ts reads it), followed by `length` bytes: what was written, or names.
struct step {
  char op;        // w write, t truncate, s sync begins, S sync is done, c create, u unlink, r rename
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

// Held for a step, by one thread of one process. Whoever is killed has it, and leaves it to nobody.
static pthread_mutex_t *one_at_a_time;
static const char *root;
static size_t root_length;
static int log_file = -1;
static char aim, aim_place;
static long aim_at, steps;
static int lies;

// The first process makes it.
static void share_lock(const char *file) {
  char path[4096];
  struct stat status;
  snprintf(path, sizeof path, "%s.lock", file);
  int fd = real_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || flock(fd, LOCK_EX) != 0 || fstat(fd, &status) != 0) abort();
  if (status.st_size == 0 && real_ftruncate(fd, sizeof *one_at_a_time) != 0) abort();
  one_at_a_time = mmap(NULL, sizeof *one_at_a_time, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (one_at_a_time == MAP_FAILED) abort();
  if (status.st_size == 0) {
    pthread_mutexattr_t shared;
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(one_at_a_time, &shared);
  }
  flock(fd, LOCK_UN);
}

__attribute__((constructor)) static void start(void) {
  real_open = dlsym(RTLD_NEXT, "open64");
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_rename = dlsym(RTLD_NEXT, "rename");
  const char *file = getenv("SYNCLOG_FILE"), *aimed = getenv("SYNCLOG_AIM");
  root = getenv("SYNCLOG_ROOT");
  if (!root || !file) return;
  root_length = strlen(root);
  lies = getenv("SYNCLOG_LIES") != NULL;
  if (aimed) sscanf(aimed, "%c%*s %c %ld", &aim, &aim_place, &aim_at);
  int fd = real_open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) abort();
  share_lock(file);
  log_file = fd;
}

static void die(void) {
  for (;;) syscall(SYS_kill, getpid(), SIGKILL);
}

static void lock(void) {
  if (pthread_mutex_lock(one_at_a_time) != 0) die(); // the machine has stopped
}

static void unlock(void) { pthread_mutex_unlock(one_at_a_time); }

static int ends_with(const char *text, const char *end) {
  size_t text_length = strlen(text), end_length = strlen(end);
  return text_length >= end_length && strcmp(text + text_length - end_length, end) == 0;
}

// e effects, a answers, w SQLite's WAL, d any other file, n (place_of_file) a folder: the names in it.
// 0: not looked at. So is SQLite's shared memory: a power cut leaves nothing of it, and SQLite makes it anew.
static char place_of(const char *path) {
  if (log_file < 0 || strncmp(path, root, root_length) != 0 || path[root_length] != '/') return 0;
  const char *name = path + root_length + 1;
  if (strcmp(name, "effects") == 0) return 'e';
  if (strcmp(name, "answers") == 0) return 'a';
  if (ends_with(name, "-shm")) return 0;
  return ends_with(name, "-wal") ? 'w' : 'd';
}

static char place_of_file(int fd, struct stat *status) {
  char link[32], path[4096];
  if (log_file < 0 || fstat(fd, status) != 0 || !(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  char place = place_of(path);
  return place && S_ISDIR(status->st_mode) ? 'n' : place;
}

static void put_down(struct step step, const void *bytes) {
  struct iovec parts[] = {{&step, sizeof step}, {(void *)bytes, step.length}};
  if (syscall(SYS_writev, log_file, parts, 2) != (ssize_t)(sizeof step + step.length)) abort();
}

static int is_aimed_at(struct step step) {
  // SQLite goes on where a folder cannot be synced, and so do we.
  if (aim == 'f' && step.place == 'n') return 0;
  if (aim_place == '*') return 1;
  if (aim_place != 's') return aim_place == step.place;
  return (step.op == 's' || step.op == 'S') && step.place != 'e' && step.place != 'a';
}

// Before each step, with the lock held. True: the step is to fail.
static int is_prevented(struct step step, const void *bytes) {
  if (!is_aimed_at(step) || ++steps != aim_at) return 0;
  step.prevented = aim;
  put_down(step, bytes);
  if (aim == 'k') die();
  errno = step.op == 'w' ? ENOSPC : EIO;
  return 1;
}

// `at` below 0: where the file stands.
static ssize_t change(int fd, const char *bytes, size_t length, off64_t at) {
  struct stat status;
  char place = place_of_file(fd, &status);
  if (!place) return at < 0 ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, at);
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
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return change(fd, bytes, length, at); }

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

int fsync(int fd) { return sync_file(fd, real_fsync); }
int fdatasync(int fd) { return sync_file(fd, real_fdatasync); }

int ftruncate64(int fd, off64_t size) {
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

static int open_file(const char *path, int flags, mode_t mode) {
  char place = flags & (O_CREAT | O_TRUNC) ? place_of(path) : 0;
  if (!place) return real_open(path, flags, mode);
  lock();
  int exists = access(path, F_OK) == 0;
  const char *name = path + root_length + 1;
  struct step step = {exists ? 't' : 'c', place, 0, 0, exists ? 0 : strlen(name), 0, 0, getpid()};
  int changes = !exists || flags & O_TRUNC;
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
  char place = place_of(path);
  if (!place) return real_unlink(path);
  const char *name = path + root_length + 1;
  struct step step = {'u', place, 0, 0, strlen(name), 0, 0, getpid()};
  lock();
  int result = is_prevented(step, name) ? -1 : real_unlink(path);
  if (result == 0) put_down(step, name);
  unlock();
  return result;
}

int rename(const char *from, const char *to) {
  char place = place_of(from), names[8192];
  if (!place || !place_of(to)) return real_rename(from, to);
  int length = snprintf(names, sizeof names, "%s\n%s", from + root_length + 1, to + root_length + 1);
  struct step step = {'r', place, 0, 0, length, 0, 0, getpid()};
  lock();
  int result = is_prevented(step, names) ? -1 : real_rename(from, to);
  if (result == 0) put_down(step, names);
  unlock();
  return result;
}
