// remedy.note_restored(), for pg_restore --data-only.

#include "rollup/following_members.hpp"
#include "rollup/marks.hpp"
#include "server/guard.hpp"

extern "C" {
#include "commands/trigger.h"
}

namespace remedy::rollup {

namespace {

// Rows of the source may be restored after this, and are captured then; the restored cells have them too.
void
note_restored(const TriggerData &trigger) noexcept
{
	bool null;
	const Datum view = heap_getattr(trigger.tg_trigtuple, 1, RelationGetDescr(trigger.tg_relation), &null);

	// Whole dumps bring triggers after data.  The library's own rows are inserted as the owner of the table.
	if (InLocalUserIdChange())
		return;
	CommandCounterIncrement();
	const Rollup *const rollup = load_rollup(DatumGetObjectId(view));
	if (rollup != nullptr && !OidIsValid(rollup->base) && trouble_with_triggers(rollup->source) == nullptr)
		mark_everything(*rollup);
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_note_restored)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("this function is called by a trigger only")));
	remedy::rollup::note_restored(*reinterpret_cast<const TriggerData *>(fcinfo->context));
	return PointerGetDatum(nullptr);
}
