// Telling of findings: who is told, who has silenced them, how often.

#pragma once

#include "findings/finding_table.hpp"
#include "repetition/advice.hpp"

namespace remedy::repetition {

// What write_advice() and write_title() want to know of a finding.
Ailment ailment_of(const findings::Finding &finding) noexcept;

// Whether nobody wants to hear of the finding: pg_remedy.n_plus_one_ignore names it or its
// table, or it is muted in this database.  Raises no error but a cancel.
bool is_silenced(const findings::Finding &finding) noexcept;

// Does what pg_remedy.n_plus_one_action asks for, unless the finding is silenced or of
// a level that nobody wants to hear of.  Lines of the log are limited (log_pace.hpp).
// May raise an error.
void tell(const findings::Finding &finding, std::uint64_t repeats);

} // namespace remedy::repetition
