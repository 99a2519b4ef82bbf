#include "plans/saving.hpp"

#include "plans/plan_table.hpp"
#include "plans/reading.hpp"

namespace remedy::plans {

namespace {

// Not a byte of a value may be left behind the masked text.
void
forget_values(PlanText &text) noexcept
{
	const char *const masked = without_values(text, text.plan);

	memset(text.plan, 0, sizeof(text.plan));
	strlcpy(text.plan, masked, sizeof(text.plan));
	text.masked = true;
}

void
save(observe::RecordWriter &writer)
{
	int count;
	const KeptPlan *const *const plans = copy_plans(count);
	KeptPlan *const plan = static_cast<KeptPlan *>(palloc(sizeof(KeptPlan)));

	for (int i = 0; i < count; ++i)
	{
		*plan = *plans[i];
		if (!plan->text.masked)
			forget_values(plan->text);
		writer.put(plan, sizeof(*plan));
	}
}

// Texts are shown as they are, so they must end somewhere.
bool
makes_sense(const KeptPlan &plan) noexcept
{
	return plan.key.fingerprint != 0 && plan.runs.calls != 0 && plan.text.masked &&
		   PG_VALID_BE_ENCODING(plan.text.encoding) &&
		   memchr(plan.text.plan, '\0', sizeof(plan.text.plan)) != nullptr &&
		   memchr(plan.text.tables, '\0', sizeof(plan.text.tables)) != nullptr;
}

bool
load(const char *record, Size bytes)
{
	KeptPlan plan;

	if (bytes != sizeof(plan))
		return false;
	memcpy(&plan, record, sizeof(plan));
	return makes_sense(plan) && take_back(plan);
}

} // namespace

const observe::Section section = {"plans", 1, save, load};

} // namespace remedy::plans
