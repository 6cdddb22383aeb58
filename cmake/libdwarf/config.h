/* libdwarf's configuration: plain POSIX, and no compressed sections (modules have none). */
#pragma once

#define HAVE_FCNTL_H 1
#define HAVE_STDINT_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_UNISTD_H 1
#define STDC_HEADERS 1
#define PACKAGE_VERSION "0.11.1"
