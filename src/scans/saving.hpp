// The scans' part of the statistics file.

#pragma once

#include "observe/persistence.hpp"

namespace remedy::scans {

// Two kinds of records, told apart by their size: entries, and one of the others.
extern const observe::Section section;

} // namespace remedy::scans
