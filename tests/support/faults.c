// Loaded in front of the C library (LD_PRELOAD): makes the calls that write a checkpoint fail, or kills the process
// there.
//
// CHIWAWA_FAULT=ACTION:N acts at the Nth call that has to do with a temporary file of a checkpoint (its name contains
// ".tmp") or with flushing a directory; calls count from 1. ACTION is
//   before, after    the process is killed before or after the call has taken effect
//   half             a write does half of its work, and then the process is killed; another call: as `before`
//   ENOSPC, EIO      the call fails with this error, and so do all after it, except removing and closing files
// CHIWAWA_FAULT=count:0 writes the number of such calls to stderr at the end.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kMaxDescriptors = 1024 };
static char watched[kMaxDescriptors];
static long calls;
static char action[16];
static long at;

static void report(void) {
  if (strcmp(action, "count") == 0) fprintf(stderr, "%ld calls\n", calls);
}

__attribute__((constructor)) static void read_plan(void) {
  const char* plan = getenv("CHIWAWA_FAULT");
  if (plan == NULL || sscanf(plan, "%15[^:]:%ld", action, &at) != 2) action[0] = 0;
  atexit(report);
}

static void die(void) { kill(getpid(), SIGKILL); }

// Whether the call that is about to happen is to fail; errno is set then.
static int fails(void) {
  ++calls;
  const int error = strcmp(action, "ENOSPC") == 0 ? ENOSPC : strcmp(action, "EIO") == 0 ? EIO : 0;
  if (error != 0 && calls >= at) {
    errno = error;
    return 1;
  }
  if (calls == at && (strcmp(action, "before") == 0 || strcmp(action, "half") == 0)) die();
  return 0;
}

static void done(void) {
  if (calls == at && strcmp(action, "after") == 0) die();
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_watched(int fd) { return fd >= 0 && fd < kMaxDescriptors && watched[fd]; }

static int open_as(int (*real)(const char*, int, ...), const char* path, int flags, mode_t mode) {
  const int mine = strstr(path, ".tmp") != NULL;
  if (mine && fails()) return -1;
  const int fd = real(path, flags, mode);
  if (fd >= 0 && fd < kMaxDescriptors) watched[fd] = (char)(mine || (flags & O_DIRECTORY) != 0);
  if (mine) done();
  return fd;
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_as(REAL(open), path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_as(REAL(open64), path, flags, mode);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  if (!is_watched(fd)) return REAL(write)(fd, bytes, size);
  if (calls + 1 == at && strcmp(action, "half") == 0) REAL(write)(fd, bytes, size / 2);
  if (fails()) return -1;
  const ssize_t written = REAL(write)(fd, bytes, size);
  done();
  return written;
}

int fsync(int fd) {
  if (!is_watched(fd)) return REAL(fsync)(fd);
  if (fails()) return -1;
  const int result = REAL(fsync)(fd);
  done();
  return result;
}

int rename(const char* from, const char* to) {
  if (strstr(from, ".tmp") == NULL) return REAL(rename)(from, to);
  if (fails()) return -1;
  const int result = REAL(rename)(from, to);
  done();
  return result;
}

int close(int fd) {
  if (is_watched(fd)) watched[fd] = 0;
  return REAL(close)(fd);
}
