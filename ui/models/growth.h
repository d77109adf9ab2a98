// How lists grow that a run appends to for days.
#pragma once

#include <cstddef>
#include <vector>

namespace mofo {

/// Before a push_back: once the list is long, room for a sixteenth more. The doubling of std::vector would keep as much again for nothing.
template <typename Value>
void growSparingly(std::vector<Value>& list) {
    constexpr std::size_t isLong = 1 << 15;
    if (list.size() == list.capacity() && list.size() >= isLong) list.reserve(list.size() + list.size() / 16);
}

}  // namespace mofo
