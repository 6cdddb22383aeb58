// MemoryHost: a host that exists in memory only, for tests: its files, clocks and random numbers are the same in every
// run, and nothing of the machine below shows through.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wasi/host_os.hpp"

namespace chiwawa::wasi {

class MemoryHost final : public HostOs {
 public:
  MemoryHost();
  ~MemoryHost() override;

  /// Nanoseconds. They pass only while the guest waits, and one with each look at a clock, so that clocks are seen to
  /// move.
  uint64_t realtime = 1'000'000'000'000'000'000;
  uint64_t monotonic = 1'000'000'000;
  uint64_t seed = 1;

  /// Standard input is read from it; when it is used up: the end, or nothing yet while `input_open`.
  std::string input;
  bool input_open = false;
  /// What was written to standard output and error.
  std::string output;
  std::string errors;

  /// Files for the guest, by path from the root of everything, such as "/data/a.txt". Directories come into being.
  void write_file(std::string_view path, std::string_view content);
  /// The file's content; empty if there is none.
  std::string read_file(std::string_view path) const;
  bool exists(std::string_view path) const;
  /// Everything there is: "/data/", "/data/a.txt", "/link -> a.txt"; sorted.
  std::vector<std::string> list_all() const;
  /// How many handles are open, apart from standard streams.
  size_t open_handles() const { return open_.size(); }

  Handle standard_stream(int number) override { return number; }
  bool is_terminal(Handle) override { return false; }
  Sys<Handle> open_root(const std::string& host_path) override;
  void close(Handle handle) override;
  Sys<Handle> open(Handle dir, const std::string& path, const OpenOptions& options) override;
  Sys<Handle> reopen_for_reading(Handle handle) override;
  Sys<Stat> stat(Handle handle) override;
  Errno set_times(Handle handle, const Times& times) override;
  Errno set_size(Handle handle, uint64_t size) override;
  Errno allocate(Handle handle, uint64_t offset, uint64_t length) override;
  Errno advise(Handle handle, uint64_t offset, uint64_t length, uint32_t advice) override;
  Errno sync(Handle handle, bool data_only) override;
  Errno set_flags(Handle handle, uint16_t fdflags) override;
  Sys<uint64_t> seek(Handle handle, int64_t offset, Whence whence) override;
  Sys<size_t> read(Handle handle, std::span<const Buffer> buffers) override;
  Sys<size_t> write(Handle handle, std::span<const Buffer> buffers) override;
  Sys<size_t> write_now(Handle handle, std::span<const Buffer> buffers) override { return write(handle, buffers); }
  Sys<size_t> read_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) override;
  Sys<size_t> write_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) override;
  Sys<Stat> stat_at(Handle dir, const std::string& path, bool follow) override;
  Errno set_times_at(Handle dir, const std::string& path, bool follow, const Times& times) override;
  Errno create_directory(Handle dir, const std::string& path) override;
  Errno remove_directory(Handle dir, const std::string& path) override;
  Errno unlink_file(Handle dir, const std::string& path) override;
  Errno rename(Handle old_dir, const std::string& old_path, Handle new_dir, const std::string& new_path) override;
  Errno link(Handle old_dir, const std::string& old_path, bool follow, Handle new_dir,
             const std::string& new_path) override;
  Errno symlink(const std::string& target, Handle dir, const std::string& path) override;
  Sys<size_t> read_link(Handle dir, const std::string& path, Buffer buffer) override;
  Errno list(Handle dir, std::vector<DirEntry>& entries) override;
  void poll(std::span<PollItem> items, uint64_t timeout) override;
  Sys<uint64_t> clock_time(ClockId clock) override;
  Sys<uint64_t> clock_resolution(ClockId) override { return uint64_t{1}; }
  void yield() override {}
  Errno random(Buffer buffer) override;

 private:
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  struct Open {
    NodePtr node;
    uint64_t position = 0;
    uint16_t fdflags = 0;
    bool read = false;
    bool write = false;
  };
  /// Where a path leads.
  struct Found {
    NodePtr parent;
    std::string name;  ///< in the parent; empty: the directory itself that the search began in, or one of its parents
    NodePtr node;      ///< null: there is none of that name
    bool directory = false;  ///< a slash follows
  };

  NodePtr make(Filetype type);
  Sys<Open*> opened(Handle handle);
  Sys<NodePtr> node_of(Handle handle);
  Errno find(Handle dir, std::string path, bool follow, Found& found);
  Errno find_entry(Handle dir, const std::string& path, Found& found);
  Stat stat_of(const Node& node) const;
  Errno set_times(Node& node, const Times& times);
  Handle add(Open open);
  NodePtr walk(std::string_view path) const;
  void touch(Node& node);
  void pass(uint64_t nanoseconds);

  NodePtr root_;
  std::map<Handle, Open> open_;
  std::array<uint16_t, 3> stream_flags_{};
  uint64_t next_ino_ = 1;
};

}  // namespace chiwawa::wasi
