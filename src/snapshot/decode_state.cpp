#include "snapshot/decode_state.hpp"

#include <algorithm>

#include "snapshot/container.hpp"
#include "snapshot/flat_root.hpp"
#include "snapshot/format.hpp"
#include "snapshot_generated.h"

namespace chiwawa::snapshot {

namespace {

/// "frames[3]"
std::string item(const char* list, size_t i) { return std::string(list) + "[" + std::to_string(i) + "]"; }

class StateDecoder {
 public:
  StateDecoder(const schema::State& state, uint64_t size, Records& records)
      : state_(state), left_(size), records_(records) {}

  StateDecoding decode() {
    const bool good = requirements() && modules() && instances() && functions() && tables() && memories() &&
                      globals() && segments() && addresses() && machine() && wasi() && base() && heap() && monitors();
    if (!good) return {.result = error_, .unsupported = unsupported_};
    return {};
  }

 private:
  // Each step returns false after it has set error_.
  bool fail(std::string cause) {
    error_ = damaged(std::move(cause));
    return false;
  }

  /// What is decoded cannot be more than the buffer, unless parts of it are used several times, which a hostile file
  /// could do to make little data large.
  bool claim(uint64_t bytes) {
    if (bytes > left_) return fail("parts of the state overlap");
    left_ -= bytes;
    return true;
  }

  template <typename V>
  static size_t size(const V* vector) {
    return vector == nullptr ? 0 : vector->size();
  }

  /// The verifier looks at the alignment of a vector's length only.
  template <typename V>
  bool aligned(const V* vector) {
    if (vector == nullptr || reinterpret_cast<uintptr_t>(vector->Data()) % 8 == 0) return true;
    return fail("the state is malformed: misaligned numbers");
  }

  bool text(const flatbuffers::String* from, std::string& to) {
    if (from == nullptr) return true;
    if (!claim(from->size())) return false;
    to.assign(from->data(), from->size());
    return true;
  }

  template <typename T>
  bool numbers(const flatbuffers::Vector<T>* from, std::vector<T>& to) {
    if (from == nullptr) return true;
    if (!claim(from->size() * sizeof(T)) || (sizeof(T) == 8 && !aligned(from))) return false;
    to.resize(from->size());
    for (uint32_t i = 0; i < from->size(); ++i) to[i] = from->Get(i);
    return true;
  }

  static bool is_top_ref(ValType type) {
    return type == ValType::FuncRef || type == ValType::ExternRef || type == ValType::AnyRef || type == ValType::ExnRef;
  }

  bool type(schema::ValType from, ValType& to, const std::string& where) {
    to = static_cast<ValType>(from);
    if (!is_num(to) && !is_vec(to) && !is_top_ref(to))
      return fail(where + " has the unknown type " + std::to_string(static_cast<int>(from)));
    return true;
  }

  bool type_list(const flatbuffers::Vector<schema::ValType>* from, std::vector<ValType>& to, const std::string& where) {
    if (from == nullptr) return true;
    if (!claim(from->size())) return false;
    to.resize(from->size());
    for (uint32_t i = 0; i < from->size(); ++i) {
      if (!type(from->Get(i), to[i], where)) return false;
    }
    return true;
  }

  bool value(ValType type, uint64_t bits, const std::string& where) {
    if ((type == ValType::I32 || type == ValType::F32) && bits >> 32 != 0) {
      return fail(where + " has more than 32 bits");
    }
    if (type == ValType::FuncRef && bits > records_.funcs.size()) {
      return fail(where + " refers to function address " + std::to_string(bits - 1) + ", but there are " +
                  std::to_string(records_.funcs.size()) + " functions");
    }
    return true;
  }

  bool references(ValType type, const std::vector<uint64_t>& elements, const std::string& where) {
    for (size_t i = 0; i < elements.size(); ++i) {
      if (type == ValType::FuncRef && elements[i] > records_.funcs.size()) {
        return value(type, elements[i], where + "[" + std::to_string(i) + "]");
      }
    }
    return true;
  }

  bool in_range(uint64_t number, size_t count, const std::string& where, const char* what) {
    if (number < count) return true;
    return fail(where + " is " + what + " " + std::to_string(number) + ", but there are " + std::to_string(count));
  }

  bool all_in_range(const std::vector<uint32_t>& list, size_t count, const std::string& where, const char* what) {
    for (size_t i = 0; i < list.size(); ++i) {
      if (list[i] >= count)
        return in_range(list[i], count, where + "." + what + "[" + std::to_string(i) + "]", "address");
    }
    return true;
  }

  // --- the parts, in the schema's order ---

  bool requirements() {
    bool needs_base = false;
    bool needs_objects = false;
    for (size_t i = 0; i < size(state_.requires_()); ++i) {
      const std::string_view name = state_.requires_()->Get(static_cast<uint32_t>(i))->string_view();
      if (name == kFeatureBase) {
        needs_base = true;
      } else if (name == kFeatureDeterministic) {
        records_.deterministic = true;
      } else if (name == kFeatureObjects) {
        needs_objects = true;
      } else if (name == kFeatureCustomPageSizes) {
        needs_page_size_ = true;
      } else if (name == kFeatureSharedMemory) {
        needs_shared_ = true;
      } else if (name == kFeatureAtomicWait) {
        needs_wait_ = true;
      } else {
        unsupported_ = true;
        return fail("the snapshot needs the feature \"" + std::string(name.substr(0, 100)) +
                    "\", which this program does not know");
      }
    }
    if (needs_base != (state_.base() != nullptr)) return fail("base and the feature \"base\" go together");
    if (needs_objects != (state_.heap() != nullptr)) return fail("heap and the feature \"objects\" go together");
    if (records_.deterministic != state_.deterministic()) {
      return fail("deterministic and the feature of that name go together");
    }
    return true;
  }

  bool modules() {
    uint64_t embedded = 0;
    for (size_t i = 0; i < size(state_.modules()); ++i) {
      const schema::Module& from = *state_.modules()->Get(static_cast<uint32_t>(i));
      ModuleRecord to;
      if (size(from.sha256()) != to.sha256.size()) return fail(item("modules", i) + " has no SHA-256");
      if (!claim(to.sha256.size()) || !text(from.name(), to.name)) return false;
      std::copy(from.sha256()->begin(), from.sha256()->end(), to.sha256.begin());
      to.size = from.size();
      to.embedded = from.embedded();
      if (to.embedded) embedded += std::min(to.size, kMaxModules + 1);
      if (embedded > kMaxModules) {
        return fail("the embedded modules have more than " + std::to_string(kMaxModules) + " bytes");
      }
      records_.modules.push_back(std::move(to));
    }
    return true;
  }

  bool instances() {
    for (size_t i = 0; i < size(state_.instances()); ++i) {
      const schema::Instance& from = *state_.instances()->Get(static_cast<uint32_t>(i));
      InstanceRecord to;
      to.module = from.module_();
      if (!claim(4)) return false;
      if (!in_range(to.module, records_.modules.size(), item("instances", i), "of module")) return false;
      if (!numbers(from.funcs(), to.funcs) || !numbers(from.tables(), to.tables) ||
          !numbers(from.memories(), to.memories) || !numbers(from.globals(), to.globals) ||
          !numbers(from.elems(), to.elems) || !numbers(from.datas(), to.datas) || !numbers(from.tags(), to.tags)) {
        return false;
      }
      records_.instances.push_back(std::move(to));
    }
    return true;
  }

  bool functions() {
    for (size_t i = 0; i < size(state_.host_funcs()); ++i) {
      const schema::HostFunc& from = *state_.host_funcs()->Get(static_cast<uint32_t>(i));
      HostFuncRecord to;
      const std::string where = item("host_funcs", i);
      if (!text(from.module_(), to.module) || !text(from.name(), to.name) ||
          !type_list(from.params(), to.type.params, where) || !type_list(from.results(), to.type.results, where)) {
        return false;
      }
      records_.host_funcs.push_back(std::move(to));
    }
    std::vector<bool> used(records_.host_funcs.size());
    for (size_t i = 0; i < size(state_.funcs()); ++i) {
      const schema::Func& from = *state_.funcs()->Get(static_cast<uint32_t>(i));
      if (from.instance() == kHostInstance) {
        if (!in_range(from.index(), records_.host_funcs.size(), item("funcs", i), "host function")) return false;
        if (used[from.index()]) return fail(item("funcs", i) + " is a host function that another one is already");
        used[from.index()] = true;
      } else if (!in_range(from.instance(), records_.instances.size(), item("funcs", i), "of instance")) {
        return false;
      }
      records_.funcs.push_back({from.instance(), from.index()});
    }
    return true;
  }

  bool tables() {
    for (size_t i = 0; i < size(state_.tables()); ++i) {
      const schema::TableInstance& from = *state_.tables()->Get(static_cast<uint32_t>(i));
      const std::string where = item("tables", i);
      TableRecord to;
      if (!type(from.element(), to.type.element, where) || !numbers(from.elements(), to.elements) ||
          !address_type(from.address(), to.type.address, where)) {
        return false;
      }
      if (!is_ref(to.type.element)) return fail(where + " has elements that are no references");
      to.type.limits.min = from.min();
      to.type.limits.max = from.max();
      if (!size_fits(to.elements.size(), to.type.limits, kMaxTableElements, where, "elements")) return false;
      if (!references(to.type.element, to.elements, where)) return false;
      records_.tables.push_back(std::move(to));
    }
    return true;
  }

  bool address_type(schema::ValType from, ValType& to, const std::string& where) {
    if (!type(from, to, where)) return false;
    return to == ValType::I32 || to == ValType::I64 || fail(where + " has addresses that are no integers");
  }

  bool size_fits(uint64_t size, const Limits& limits, uint64_t most, const std::string& where, const char* unit) {
    if (size >= limits.min && size <= limits.max.value_or(size) && size <= most) return true;
    return fail(where + " has " + std::to_string(size) + " " + unit + ", which its type does not allow");
  }

  bool memories() {
    bool has_page_size = false, has_shared = false;
    for (size_t i = 0; i < size(state_.memories()); ++i) {
      const schema::Memory& from = *state_.memories()->Get(static_cast<uint32_t>(i));
      MemoryRecord to;
      to.type.limits.min = from.min();
      to.type.limits.max = from.max();
      to.pages = from.pages();
      to.type.is_shared = from.shared();
      has_shared |= to.type.is_shared;
      to.type.page_exponent = from.page_exponent();
      if (to.type.page_exponent != kPageSizeExponent) {
        if (to.type.page_exponent != 0) return fail(item("memories", i) + " has a page size that is not valid");
        has_page_size = true;
      }
      if (!address_type(from.address(), to.type.address, item("memories", i)) ||
          !size_fits(to.pages, to.type.limits, max_pages(to.type), item("memories", i), "pages")) {
        return false;
      }
      records_.memories.push_back(to);
    }
    if (has_shared != needs_shared_) return fail("a shared memory and the feature \"shared-memory\" go together");
    return has_page_size == needs_page_size_ ||
           fail("a memory's page size and the feature \"custom-page-sizes\" go together");
  }

  bool globals() {
    if (!aligned(state_.globals()) || !aligned(state_.vector_globals())) return false;
    uint32_t vectors = 0;
    for (size_t i = 0; i < size(state_.globals()); ++i) {
      const schema::Global& from = *state_.globals()->Get(static_cast<uint32_t>(i));
      GlobalInst to;
      if (!type(from.type(), to.type.type, item("globals", i))) return false;
      to.type.is_mutable = from.mutable_();
      to.bits[0] = from.bits();
      if (is_vec(to.type.type)) {
        if (vectors == size(state_.vector_globals()))
          return fail("vector_globals has fewer halves than there are vectors");
        to.bits[1] = state_.vector_globals()->Get(vectors++);
      }
      if (!value(to.type.type, to.bits[0], item("globals", i))) return false;
      records_.globals.push_back(to);
    }
    return vectors == size(state_.vector_globals()) || fail("vector_globals has more halves than there are vectors");
  }

  bool segments() {
    for (size_t i = 0; i < size(state_.elems()); ++i) {
      const schema::Elem& from = *state_.elems()->Get(static_cast<uint32_t>(i));
      const std::string where = item("elems", i);
      ElemRecord to;
      if (!type(from.type(), to.type, where) || !numbers(from.elements(), to.elements)) return false;
      if (!is_ref(to.type)) return fail(where + " has elements that are no references");
      to.dropped = from.dropped();
      if (to.dropped && !to.elements.empty()) return fail(where + " is dropped and has elements");
      if (!references(to.type, to.elements, where)) return false;
      records_.elems.push_back(std::move(to));
    }
    return numbers(state_.datas(), records_.datas_dropped);
  }

  bool addresses() {
    // Every tag is some instance's: more than they name are not worth a list.
    uint64_t named_tags = 0;
    for (const InstanceRecord& instance : records_.instances) named_tags += instance.tags.size();
    if (state_.tags() > named_tags) return fail("there are more tags than instances have");
    for (size_t i = 0; i < records_.instances.size(); ++i) {
      const InstanceRecord& instance = records_.instances[i];
      const std::string where = item("instances", i);
      if (!all_in_range(instance.funcs, records_.funcs.size(), where, "funcs") ||
          !all_in_range(instance.tables, records_.tables.size(), where, "tables") ||
          !all_in_range(instance.memories, records_.memories.size(), where, "memories") ||
          !all_in_range(instance.globals, records_.globals.size(), where, "globals") ||
          !all_in_range(instance.elems, records_.elems.size(), where, "elems") ||
          !all_in_range(instance.datas, records_.datas_dropped.size(), where, "datas") ||
          !all_in_range(instance.tags, state_.tags(), where, "tags")) {
        return false;
      }
    }
    return true;
  }

  bool values(const flatbuffers::Vector<schema::ValType>* types, const flatbuffers::Vector<uint64_t>* bits,
              std::vector<Value>& to, const char* list) {
    if (!claim(uint64_t{size(types)} + uint64_t{size(bits)} * sizeof(uint64_t)) || !aligned(bits)) return false;
    to.resize(size(types));
    uint32_t next = 0;  // in bits
    for (uint32_t i = 0; i < to.size(); ++i) {
      // Without the message's text when all is well: there may be millions.
      const auto raw_type = static_cast<ValType>(types->Get(i));
      const uint32_t slots = slots_of(raw_type);
      if (size(bits) - next < slots) return fail(std::string(list) + ": fewer values than types");
      to[i] = {raw_type, bits->Get(next), slots == 2 ? bits->Get(next + 1) : 0};
      next += slots;
      if ((raw_type == ValType::I64 || raw_type == ValType::F64)) continue;
      if (is_num(raw_type) && to[i].bits >> 32 == 0) continue;
      const std::string where = item(list, i);
      if (!type(types->Get(i), to[i].type, where) || !value(to[i].type, to[i].bits, where)) return false;
    }
    return next == size(bits) || fail(std::string(list) + ": more values than types");
  }

  bool machine() {
    const schema::Machine& from = *state_.machine();
    MachineImage& to = records_.machine;
    if (!values(from.value_types(), from.value_bits(), to.values, "values")) return false;
    uint64_t count = 0;
    for (size_t i = 0; i < size(from.frames()); ++i) {
      const schema::Frame& frame = *from.frames()->Get(static_cast<uint32_t>(i));
      if (!in_range(frame.func(), records_.funcs.size(), item("frames", i), "of function address")) return false;
      if (records_.is_host(frame.func())) return fail(item("frames", i) + " is of a host function");
      count += uint64_t{frame.local_count()} + frame.operand_count();
      to.frames.push_back({FuncAddr{frame.func()}, frame.position(), frame.local_count(), frame.operand_count()});
    }
    if (count != to.values.size()) {
      return fail("the frames have " + std::to_string(count) + " values, but there are " +
                  std::to_string(to.values.size()));
    }
    if (!in_range(from.entry(), records_.funcs.size(), "machine.entry", "function address")) return false;
    to.entry = FuncAddr{from.entry()};
    to.steps = from.steps();
    to.waited = from.waited();
    if (to.waited.has_value() != needs_wait_) return fail("machine.waited and the feature \"atomic-wait\" go together");
    if (from.next() != nullptr && !next_call(*from.next())) return false;
    return from.pending() == nullptr || pending(*from.pending());
  }

  /// Whether the arguments fit the function is for Machine::invoke to say.
  bool next_call(const schema::NextCall& from) {
    MachineImage::NextCall to;
    if (!in_range(from.func(), records_.funcs.size(), "next.func", "function address")) return false;
    to.function = FuncAddr{from.func()};
    if (!values(from.arg_types(), from.arg_bits(), to.args, "next.args")) return false;
    records_.machine.next = std::move(to);
    return true;
  }

  bool pending(const schema::PendingCall& from) {
    MachineImage::PendingCall to;
    if (!in_range(from.func(), records_.funcs.size(), "pending.func", "function address")) return false;
    if (!records_.is_host(from.func())) return fail("the pending call is not one of a host function");
    to.function = FuncAddr{from.func()};
    if (!values(from.arg_types(), from.arg_bits(), to.args, "pending.args")) return false;
    const FuncType& type = records_.host_funcs[records_.funcs[from.func()].index].type;
    const auto same = [](const Value& value, ValType param) { return value.type == param; };
    if (!std::equal(to.args.begin(), to.args.end(), type.params.begin(), type.params.end(), same)) {
      return fail("the pending call's arguments do not fit the function's type");
    }
    records_.machine.pending = std::move(to);
    return true;
  }

  /// A string that becomes a C string somewhere.
  bool c_text(const flatbuffers::String* from, std::string& to, const char* where) {
    if (!text(from, to)) return false;
    if (to.find('\0') != std::string::npos) return fail(std::string(where) + " contains a NUL");
    return true;
  }

  bool c_texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* from, std::vector<std::string>& to,
               const char* where) {
    for (size_t i = 0; i < size(from); ++i) {
      std::string one;
      if (!c_text(from->Get(static_cast<uint32_t>(i)), one, where)) return false;
      to.push_back(std::move(one));
    }
    return true;
  }

  bool wasi() {
    if (state_.wasi() == nullptr) return true;
    const schema::Wasi& from = *state_.wasi();
    wasi::State to;
    if (!c_texts(from.args(), to.args, "wasi.args") || !c_texts(from.environ(), to.environ, "wasi.environ"))
      return false;
    to.removed_files.resize(size(from.removed_files()));
    for (size_t i = 0; i < to.removed_files.size(); ++i) {
      if (!numbers(from.removed_files()->Get(static_cast<uint32_t>(i))->content(), to.removed_files[i])) return false;
    }
    for (size_t i = 0; i < size(from.descriptors()); ++i) {
      const schema::Descriptor& d = *from.descriptors()->Get(static_cast<uint32_t>(i));
      const std::string where = item("wasi.descriptors", i);
      if (d.kind() > schema::DescriptorKind::MAX) {
        unsupported_ = true;
        return fail(where + " has the unknown kind " + std::to_string(static_cast<int>(d.kind())));
      }
      wasi::DescriptorRecord record;
      record.number = d.number();
      record.kind = static_cast<wasi::DescriptorKind>(d.kind());
      record.rights_base = d.rights_base();
      record.rights_inheriting = d.rights_inheriting();
      record.fdflags = d.fdflags();
      record.offset = d.offset();
      record.size = d.size();
      record.mtime = d.mtime();
      record.device = d.device();
      record.inode = d.inode();
      record.removed_file = d.removed_file();
      record.elsewhere = d.elsewhere();
      record.listener = d.listener();
      if (record.removed_file && !in_range(*record.removed_file, to.removed_files.size(), where, "removed file")) {
        return false;
      }
      if (!c_text(d.preopen(), record.preopen, "a descriptor's preopen") ||
          !c_text(d.path(), record.path, "a descriptor's path") ||
          !c_text(d.address(), record.address, "a listener's address")) {
        return false;
      }
      if (!to.descriptors.empty() && record.number <= to.descriptors.back().number) {
        return fail(where + " is not in ascending order");
      }
      to.descriptors.push_back(std::move(record));
    }
    to.monotonic = from.monotonic();
    to.random = from.random();
    if (to.random.has_value() != records_.deterministic) {
      return fail("wasi.random is for deterministic guests, and these have it");
    }
    if (from.sleep() != nullptr) to.sleep = wasi::SleepRecord{from.sleep()->elapsed()};
    records_.wasi = std::move(to);
    return true;
  }

  bool heap() {
    records_.tags = state_.tags();
    if (state_.heap() == nullptr) return true;
    const schema::Heap& from = *state_.heap();
    for (size_t i = 0; i < size(from.types()); ++i) {
      const schema::DefinedType& type = *from.types()->Get(static_cast<uint32_t>(i));
      if (!in_range(type.instance(), records_.instances.size(), item("heap.types", i), "of instance")) return false;
      records_.heap.types.push_back({type.instance(), type.index()});
    }
    if (from.objects() == 0) return fail("the heap has no objects");
    if (from.bytes() > kMaxHeap) return fail("the heap has more than " + std::to_string(kMaxHeap) + " bytes");
    return true;
  }

  bool monitors() {
    for (size_t i = 0; i < size(state_.monitors()); ++i) {
      const schema::Monitor& from = *state_.monitors()->Get(static_cast<uint32_t>(i));
      MonitorState to;
      if (!text(from.name(), to.name) || !numbers(from.state(), to.bytes)) return false;
      if (!records_.monitors.empty() && to.name <= records_.monitors.back().name) {
        return fail(item("monitors", i) + " is not in ascending order");
      }
      records_.monitors.push_back(std::move(to));
    }
    return true;
  }

  bool base() {
    if (state_.base() == nullptr) return true;
    BaseRecord to;
    const auto* const digest = state_.base()->digest();
    if (size(digest) != to.digest.size()) return fail("the base has no digest");
    if (!claim(to.digest.size()) || !c_text(state_.base()->name(), to.name, "the base's name")) return false;
    if (to.name.empty()) return fail("the base has no name");
    std::copy(digest->begin(), digest->end(), to.digest.begin());
    records_.base = std::move(to);
    return true;
  }

  const schema::State& state_;
  uint64_t left_;  // bytes that may still be decoded
  Records& records_;
  Error error_;
  bool unsupported_ = false;
  bool needs_page_size_ = false;
  bool needs_shared_ = false;
  bool needs_wait_ = false;
};

}  // namespace

StateDecoding decode_state(std::span<const uint8_t> bytes, Records& records) {
  const schema::State* const state = flat_root<schema::State>(bytes, kStateIdentifier);
  if (state == nullptr) return {.result = damaged("the state is malformed")};
  records = {};
  StateDecoding decoding = StateDecoder(*state, bytes.size(), records).decode();
  if (state->heap() != nullptr) {
    decoding.objects = state->heap()->objects();
    decoding.object_bytes = state->heap()->bytes();
  }
  return decoding;
}

}  // namespace chiwawa::snapshot
