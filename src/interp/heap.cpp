#include "interp/heap.hpp"

#include <algorithm>
#include <utility>

namespace chiwawa {

namespace {

constexpr uint64_t round_up(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

/// What new space is taken from the host at a time, at least, in bytes.
constexpr uint64_t kChunk = 1u << 16;

}  // namespace

ObjectLayout::ObjectLayout(const TypeDef& type) : kind(type.kind), fields(type.fields) {
  uint32_t at = 0;
  for (const FieldType& field : fields) {
    const uint32_t size = field_bytes(field.storage);
    at = static_cast<uint32_t>(round_up(at, std::min(size, 8u)));
    if (is_ref(field.storage)) ref_offsets.push_back(at);
    offsets.push_back(at);
    at += size;
  }
  bytes = at;
}

void Heap::write_header(uint64_t offset, ObjectHeader header) {
  std::memcpy(memory_.data() + offset, &header, sizeof header);
}

void Heap::write_free(Run run) {
  // A free run may have more units than a length can say: it is then several.
  while (run.size() != 0) {
    const uint64_t units = std::min<uint64_t>(run.size() / 8, UINT32_MAX);
    write_header(run.begin, {kFree, static_cast<uint32_t>(units)});
    run.begin += units * 8;
  }
}

bool Heap::take_free_run(uint64_t size) {
  while (next_free_ < free_.size()) {
    const Run run = free_[next_free_++];
    if (run.size() < size) continue;
    write_free(current_);
    current_ = run;
    return true;
  }
  return false;
}

bool Heap::extend(uint64_t size, uint64_t limit, uint64_t max_bytes) {
  if (size > max_bytes || used_ + size > limit) return false;
  const uint64_t end = round_up(top_ + std::max(size, kChunk), kChunk);
  if (end > max_bytes || end > SIZE_MAX) return false;
  // More than is needed now: elsewhere than on Linux growing may copy.
  const uint64_t roomy =
      std::min({round_up(end + end / 2, kChunk), max_bytes / kChunk * kChunk, uint64_t{SIZE_MAX} / kChunk * kChunk});
  if (end > memory_.size_bytes() && !memory_.grow_to(roomy) && !memory_.grow_to(end)) {
    return false;
  }
  if (current_.end == top_) {
    current_.end = end;
  } else {
    write_free(current_);
    current_ = {top_, end};
  }
  top_ = end;
  return true;
}

uint64_t Heap::allocate(ObjectHeader header, uint64_t bytes, uint64_t max_bytes) {
  if (collect_always && !std::exchange(just_collected_, false)) return 0;
  return place(header, bytes, collect_at_, max_bytes);
}

uint64_t Heap::allocate_at_once(ObjectHeader header, uint64_t bytes, uint64_t max_bytes) {
  return place(header, bytes, max_bytes, max_bytes);
}

uint64_t Heap::place(ObjectHeader header, uint64_t bytes, uint64_t limit, uint64_t max_bytes) {
  const uint64_t size = sizeof header + round_up(bytes, 8);
  if (current_.size() < size && !take_free_run(size) && !extend(size, limit, max_bytes)) return 0;
  const uint64_t offset = current_.begin;
  current_.begin += size;
  used_ += size;
  write_header(offset, header);
  std::memset(memory_.data() + offset + sizeof header, 0, static_cast<size_t>(size - sizeof header));
  return kHeapRefBit | offset;
}

void Heap::collect(const void* owner, SizeOf size_of, MarkFields mark_fields) {
  while (!pending_.empty()) {
    const uint64_t ref = kHeapRefBit | pending_.back();
    pending_.pop_back();
    ObjectHeader marked = header(ref);
    marked.type &= ~kMark;
    mark_fields(owner, *this, marked, fields(ref));
  }
  write_free(current_);
  current_ = {};
  free_.clear();
  next_free_ = 0;
  used_ = 0;
  Run run{8, 8};
  for (uint64_t offset = 8; offset < top_;) {
    ObjectHeader object = header(kHeapRefBit | offset);
    const bool reachable = (object.type & kMark) != 0;
    object.type &= ~kMark;
    const uint64_t size =
        object.type == kFree ? uint64_t{object.length} * 8 : sizeof object + round_up(size_of(owner, object), 8);
    if (reachable) {
      write_header(offset, object);
      if (run.size() != 0) free_.push_back(run);
      used_ += size;
      run.begin = offset + size;
    }
    offset += size;
    run.end = offset;
  }
  if (run.size() != 0) free_.push_back(run);
  for (const Run& free : free_) {
    if (collect_always) std::memset(memory_.data() + free.begin, 0xDD, static_cast<size_t>(free.size()));
    write_free(free);
  }
  just_collected_ = true;
  collect_at_ = std::max(kFirstCollection, used_ * 2);
  ++collections_;
}

}  // namespace chiwawa
