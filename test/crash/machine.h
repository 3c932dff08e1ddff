// What all processes of one test share, in a page that the harness makes (machine.ts): who is to be stopped where, who has
// been, and the lock that puts their steps in one order. Processes are of two groups: the clients (agent, approver) and
// the database server, if there is one. A stop concerns one group or both: each of its processes dies at its own next
// step, and nothing below the root is changed by any of them after that.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum group { CLIENTS = 1, SERVER = 2 };

struct page {
  char who;     // 'a' agent, 'p' approver, 's' any process of the server; 0: nobody
  char how;     // 'k' kill, 'f' that step fails
  char place;   // see place_of; '*': any; 's': that is part of a sync of the store
  char stops;   // groups that a kill stops
  char stopped; // groups that have been
  char made;    // the lock
  int64_t at;   // before the at-th such step, from 1
  int64_t seen; // so many there were
  pthread_mutex_t one_at_a_time; // held for a step, by one thread of one process
};

static struct page *machine;
static char who;
static pid_t leader; // of the server: all its other processes are its children

static int group_of(char process) { return process == 's' ? SERVER : CLIENTS; }

static void join_machine(int fd, const char *name) {
  who = name[0];
  leader = getpid();
  if (flock(fd, LOCK_EX) != 0) abort();
  machine = mmap(NULL, sizeof *machine, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (machine == MAP_FAILED) abort();
  if (!machine->made) {
    pthread_mutexattr_t shared;
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&machine->one_at_a_time, &shared);
    machine->made = 1;
  }
  flock(fd, LOCK_UN);
}

static void unlock(void) { pthread_mutex_unlock(&machine->one_at_a_time); }

static void die(void) {
  unlock();
  if (who == 's') kill(leader, SIGKILL);
  for (;;) syscall(SYS_kill, getpid(), SIGKILL);
}

static void lock(void) {
  int error = pthread_mutex_lock(&machine->one_at_a_time);
  if (error == EOWNERDEAD) {
    // Somebody was killed who was about to die; or whom nobody was to kill, which ends the test.
    if (!machine->stopped) machine->stopped = CLIENTS | SERVER;
    pthread_mutex_consistent(&machine->one_at_a_time);
  } else if (error != 0) abort();
  if (machine->stopped & group_of(who)) die();
}

// Children of the server end with it, at once: they may be waiting for one that is dead already.
static pid_t fork_under(pid_t (*real_fork)(void)) {
  pid_t child = real_fork();
  if (child == 0 && who == 's') {
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != leader) die();
  }
  return child;
}

// PostgreSQL wants another signal then.
int prctl(int option, ...) {
  va_list rest;
  va_start(rest, option);
  unsigned long given[4];
  for (int i = 0; i < 4; i++) given[i] = va_arg(rest, unsigned long);
  va_end(rest);
  if (option == PR_SET_PDEATHSIG && who == 's') return 0;
  return syscall(SYS_prctl, option, given[0], given[1], given[2], given[3]);
}
