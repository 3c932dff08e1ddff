// Which files a test looks at, and which connections.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *root; // NULL: nothing is looked at

static int ends_with(const char *text, const char *end) {
  size_t text_length = strlen(text), end_length = strlen(end);
  return text_length >= end_length && strcmp(text + text_length - end_length, end) == 0;
}

// Of what a power cut leaves nothing is made: SQLite's shared memory, and what PostgreSQL makes anew after a crash.
static int is_passing(const char *name) {
  static const char *const parts[] = {"/postmaster.", "pg_internal.init", "/pg_stat/", "/pgsql_tmp"};
  if (ends_with(name, "-shm")) return 1;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (strstr(name, parts[i])) return 1;
  return 0;
}

// Below the root; NULL: elsewhere. PostgreSQL names its files from the folder that it works in.
static const char *name_of(const char *path, char whole[4096]) {
  if (!root) return NULL;
  if (path[0] != '/') {
    if (!getcwd(whole, 4096)) return NULL;
    size_t length = strlen(whole);
    snprintf(whole + length, 4096 - length, "/%s", strncmp(path, "./", 2) == 0 ? path + 2 : path);
    path = whole;
  }
  return strncmp(path, root, strlen(root)) == 0 && path[strlen(root)] == '/' ? path + strlen(root) + 1 : NULL;
}

// e effects, a answers, w a write-ahead log, d any other file, n (place_of_file) a folder: the names in it, m
// (place_of_file) a connection with PostgreSQL. 0: not looked at.
static char place_of(const char *name) {
  if (!name) return 0;
  if (strcmp(name, "effects") == 0) return 'e';
  if (strcmp(name, "answers") == 0) return 'a';
  if (is_passing(name)) return 0;
  return ends_with(name, "-wal") || strstr(name, "/pg_wal/") ? 'w' : 'd';
}

static int is_line(int fd) {
  int (*const ends[])(int, struct sockaddr *, socklen_t *) = {getsockname, getpeername};
  for (int i = 0; i < 2; i++) {
    struct sockaddr_un name = {0};
    socklen_t length = sizeof name - 1;
    if (ends[i](fd, (struct sockaddr *)&name, &length) == 0 && name.sun_family == AF_UNIX &&
        strstr(name.sun_path, "/.s.PGSQL."))
      return 1;
  }
  return 0;
}

static char place_of_file(int fd, struct stat *status) {
  char link[32], path[4096], whole[4096];
  if (!root || fstat(fd, status) != 0) return 0;
  if (S_ISSOCK(status->st_mode)) return is_line(fd) ? 'm' : 0;
  if (!(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  char place = place_of(name_of(path, whole));
  return place && S_ISDIR(status->st_mode) ? 'n' : place;
}
