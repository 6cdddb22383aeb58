// Reading what --trace-events, --trace-resource and --trace-filter are given.
#pragma once

#include <cstdint>
#include <string>

#include "monitor/trace.hpp"

namespace chiwawa::tools {

/// Each reads what was given into its last parameter, and returns what is wrong with it, in words; empty: nothing.
/// Names are separated by commas or spaces.
std::string parse_trace_events(const std::string& text, uint32_t& events);
std::string parse_trace_resources(const std::string& text, uint32_t& resources);
/// "func=NAME,range=A:B,first=N"; func can be repeated.
std::string parse_trace_filter(const std::string& text, monitor::TraceFilter& filter);
std::string parse_trace_format(const std::string& text, monitor::TraceFormat& format);

}  // namespace chiwawa::tools
