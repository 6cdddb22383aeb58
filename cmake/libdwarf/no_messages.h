/* Instead of libdwarf's dwarf_errmsg_list.h: no text for any error. The numbers of errors are in its libdwarf.h. */
#pragma once

#include "libdwarf.h"

#define DWARF_ERRMSG_LIST_H
static const char _dwarf_errmsgs[DW_DLE_LAST + 1][1] = {{0}};
