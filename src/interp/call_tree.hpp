// The calls of a run as a tree of call chains, with the steps executed in each.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "interp/result.hpp"
#include "interp/types.hpp"

namespace chiwawa {

class Store;
struct CallNode;

/// The way from a call chain to that with one call more.
struct CallEdge {
  FuncAddr function{};
  CallNode* target = nullptr;
  CallEdge* next = nullptr;
};

/// A call chain: `function`, called at the end of `parent`'s.
struct CallNode {
  /// Where to look first: by the lowest bits of the callee's address.
  static constexpr uint32_t kRecent = 8;
  std::array<CallEdge*, kRecent> recent{};
  CallEdge* edges = nullptr;  ///< all, the newest first
  uint64_t steps = 0;         ///< executed in the function itself
  CallNode* parent = nullptr;
  FuncAddr function{};
  uint32_t depth = 0;
  uint32_t number = 0;  ///< in the order in which they were made; the root is 0
};

/// Where the machine stands in it is a stack of nodes. What the dispatcher does at each call and return is in
/// instr_calls.inc, everything else here.
class CallTree {
 public:
  /// A chain that has this many functions does not grow by one that is in it already: what that executes counts for the
  /// chain in which it was called before.
  static constexpr uint32_t kFoldDepth = 128;
  /// There are never more chains: beyond that, a call belongs to its caller's.
  static constexpr uint32_t kMostNodes = 1u << 18;

  CallTree();
  CallTree(const CallTree&) = delete;
  CallTree& operator=(const CallTree&) = delete;

  // Steps are given as numbers of all steps of the run so far.

  /// A function is called, when so many steps are done.
  void enter(FuncAddr function, uint64_t steps);
  /// The innermost function returns, or goes in another way.
  void leave(uint64_t steps);
  /// Steps up to here belong to where it stands.
  void pass(uint64_t steps) {
    node_->steps += steps - steps_;
    steps_ = steps;
  }
  /// Goes on, when so many steps are done, with these functions on the stack, outermost first.
  void stand(std::span<const FuncAddr> functions, uint64_t steps);

  /// The root stands for the embedder. A parent comes before its children.
  const std::deque<CallNode>& nodes() const { return nodes_; }
  std::vector<uint8_t> save() const;
  Result<void> load(std::span<const uint8_t> state, const Store& store);

  // For the dispatcher.
  CallNode* node_ = nullptr;  // where it stands
  uint64_t steps_ = 0;        // that have been counted
  CallNode** top_ = nullptr;  // the innermost of the stack, where callers are
  CallNode** end_ = nullptr;

 private:
  CallNode* child(CallNode* parent, FuncAddr function);
  CallNode* make(CallNode* parent, FuncAddr function);
  static CallEdge* find(CallNode* parent, FuncAddr function);

  std::deque<CallNode> nodes_;
  std::deque<CallEdge> edges_;
  std::vector<CallNode*> stack_;
};

}  // namespace chiwawa
