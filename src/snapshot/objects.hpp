// The heap's objects <-> records: reachable ones only, numbered from the roots.
#pragma once

#include <cstdint>

#include "interp/machine.hpp"
#include "interp/result.hpp"
#include "interp/store.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::snapshot {

/// Fills records.heap with the objects that the other records refer to, and makes all their references to numbers.
/// Takes memory of about half of the heap's size, besides the record itself.
void collect_objects(const Store& store, Records& records);

/// Puts the objects of records.heap into the store's heap, which is empty, and makes all references of the records to
/// such. Requires instances and tags in the store. Phase::Snapshot: objects that none of their types can be.
Result<void> restore_objects(Records& records, Store& store);

/// Whether all references in the store are of the types where they are. The machine's are for it to check.
Result<void> check_references(const Store& store);

}  // namespace chiwawa::snapshot
