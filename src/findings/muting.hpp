// Which findings remedy.mute() silenced in this database.

#pragma once

namespace remedy::findings {

// Whether a finding's key is in remedy.muted_findings; false where the extension is not
// installed, or while its table is locked.  Reads the table from its beginning, so it is
// for those who are about to tell of a finding.  Looks in a subtransaction, whatever the
// isolation level sees what is committed, waits for no lock, leaves no trace in
// serializable transactions, and raises no error but a cancel.  Not in parallel mode.
bool is_muted(const char *key) noexcept;

} // namespace remedy::findings
