#include "interp/call_tree.hpp"

#include <algorithm>
#include <utility>

#include "interp/state_bytes.hpp"
#include "interp/store.hpp"

namespace chiwawa {

CallTree::CallTree() : stack_(256) {
  nodes_.push_back({});
  node_ = &nodes_.front();
  top_ = stack_.data();
  end_ = stack_.data() + stack_.size();
}

CallNode* CallTree::make(CallNode* parent, FuncAddr function) {
  nodes_.push_back({.parent = parent,
                    .function = function,
                    .depth = parent->depth + 1,
                    .number = static_cast<uint32_t>(nodes_.size())});
  return &nodes_.back();
}

CallEdge* CallTree::find(CallNode* parent, FuncAddr function) {
  for (CallEdge* edge = parent->edges; edge != nullptr; edge = edge->next) {
    if (edge->function == function) return edge;
  }
  return nullptr;
}

CallNode* CallTree::child(CallNode* parent, FuncAddr function) {
  CallEdge*& recent = parent->recent[raw(function) % CallNode::kRecent];
  if (CallEdge* const edge = find(parent, function)) {
    recent = edge;
    return edge->target;
  }
  CallNode* target = nullptr;
  if (parent->depth >= kFoldDepth) {
    target = parent;
    while (target != nullptr && (target->number == 0 || target->function != function)) target = target->parent;
  }
  if (target == nullptr) target = nodes_.size() < kMostNodes ? make(parent, function) : parent;
  edges_.push_back({.function = function, .target = target, .next = parent->edges});
  parent->edges = recent = &edges_.back();
  return target;
}

void CallTree::enter(FuncAddr function, uint64_t steps) {
  pass(steps);
  if (top_ + 1 == end_) {
    const auto at = static_cast<size_t>(top_ - stack_.data());
    stack_.resize(stack_.size() * 2);
    top_ = stack_.data() + at;
    end_ = stack_.data() + stack_.size();
  }
  *++top_ = node_;
  node_ = child(node_, function);
}

void CallTree::leave(uint64_t steps) {
  pass(steps);
  if (top_ == stack_.data()) return;
  node_ = *top_--;
}

void CallTree::stand(std::span<const FuncAddr> functions, uint64_t steps) {
  node_ = &nodes_.front();
  top_ = stack_.data();
  steps_ = steps;
  for (const FuncAddr function : functions) enter(function, steps);
}

std::vector<uint8_t> CallTree::save() const {
  StateWriter out;
  out.number(nodes_.size());
  out.number(nodes_.front().steps);
  for (const CallNode& node : nodes_) {
    if (node.number == 0) continue;
    out.number(node.parent->number);
    out.number(raw(node.function));
    out.number(node.steps);
  }
  out.number(edges_.size());
  for (const CallNode& node : nodes_) {
    for (const CallEdge* edge = node.edges; edge != nullptr; edge = edge->next) {
      out.number(node.number);
      out.number(raw(edge->function));
      out.number(edge->target->number);
    }
  }
  return out.take();
}

Result<void> CallTree::load(std::span<const uint8_t> state, const Store& store) {
  StateReader in(state);
  CallTree loaded;
  const auto node = [&] {
    const uint64_t number = in.number();
    if (number >= loaded.nodes_.size()) in.fail();
    return number < loaded.nodes_.size() ? &loaded.nodes_[static_cast<size_t>(number)] : &loaded.nodes_.front();
  };
  const auto function = [&] {
    const uint64_t address = in.number();
    if (address >= store.funcs.size() || store.funcs[static_cast<size_t>(address)]->is_host()) in.fail();
    return static_cast<FuncAddr>(address);
  };
  const size_t nodes = in.count();
  if (nodes == 0 || nodes > kMostNodes) in.fail();
  loaded.nodes_.front().steps = in.number();
  for (size_t i = 1; i < nodes && !in.at_end(); ++i) {
    CallNode* const parent = node();
    CallNode* const made = loaded.make(parent, function());
    made->steps = in.number();
  }
  if (loaded.nodes_.size() != nodes) in.fail();
  // Each node's edges are read in their order; put before each other from the last on, they are in it again.
  std::vector<std::pair<CallNode*, CallEdge*>> edges;
  for (size_t left = in.count(); left != 0 && !in.at_end(); --left) {
    CallNode* const from = node();
    const FuncAddr callee = function();
    CallNode* const target = node();
    loaded.edges_.push_back({.function = callee, .target = target});
    edges.emplace_back(from, &loaded.edges_.back());
  }
  if (!in.at_end()) in.fail();
  CHIWAWA_TRY(in.check("calls"));
  std::ranges::reverse(edges);
  for (const auto& [from, edge] : edges) {
    edge->next = from->edges;
    from->edges = edge;
  }
  nodes_.swap(loaded.nodes_);
  edges_.swap(loaded.edges_);
  node_ = &nodes_.front();
  top_ = stack_.data();
  return {};
}

}  // namespace chiwawa
