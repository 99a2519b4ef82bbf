#include "scans/evidence.hpp"

#include <algorithm>

#include "scans/constant_hash.hpp"

namespace remedy::scans {

namespace {

bool
is_sequential(const Entry &entry) noexcept
{
	return entry.key.subject.method == Method::sequential;
}

// An entry's part of its kin's volume: it may have no row.
std::uint64_t
part_of(const Entry &entry) noexcept
{
	return is_sequential(entry) ? entry.counts.sampled_rows + 1 : 0;
}

// Adds entries that are akin.  Their volume is the first, or there is none; the samples of
// sequential scans share it among them.
void
add_kin(EvidenceList &list, const Entry *first, const Entry *end) noexcept
{
	const Entry *const volume = first->key.subject.method == Method::volume ? first : nullptr;
	const Entry *const samples = volume == nullptr ? first : first + 1;
	std::uint64_t parts = 0;

	for (const Entry *entry = samples; entry < end; ++entry)
		parts += part_of(*entry);
	if (volume != nullptr && parts == 0)
		list.first[list.count++] = {volume, true, volume->counts.scans, volume->counts.rows};
	Shares scans(volume == nullptr ? 0 : volume->counts.scans, parts);
	Shares rows(volume == nullptr ? 0 : volume->counts.rows, parts);
	for (const Entry *entry = samples; entry < end; ++entry)
		if (volume != nullptr && is_sequential(*entry))
			list.first[list.count++] = {entry, true, scans.next(part_of(*entry)), rows.next(part_of(*entry))};
		else
			list.first[list.count++] = {entry, false, 0, 0};
}

bool
is_before(const Evidence &one, const Evidence &other) noexcept
{
	return one.entry->key.subject.fingerprint < other.entry->key.subject.fingerprint;
}

} // namespace

EvidenceList
read_all_evidence() noexcept
{
	const Contents contents = read_scans();
	const Entry *const end = contents.entries + contents.count;
	EvidenceList list = {nullptr, 0, contents.others};

	list.first = static_cast<Evidence *>(
		MemoryContextAllocHuge(CurrentMemoryContext, mul_size(contents.count + 1, sizeof(Evidence))));
	for (const Entry *first = contents.entries; first < end;)
	{
		const Entry *const next = std::find_if(
			first, end, [first](const Entry &entry) { return !entry.key.subject.is_akin(first->key.subject); });
		add_kin(list, first, next);
		first = next;
	}
	return list;
}

EvidenceList
read_evidence() noexcept
{
	EvidenceList list = read_all_evidence();
	const auto is_elsewhere = [](const Evidence &each) { return each.entry->key.subject.database != MyDatabaseId; };

	list.count = static_cast<int>(std::remove_if(list.first, list.first + list.count, is_elsewhere) - list.first);
	return list;
}

EvidenceList
EvidenceList::of(std::uint64_t fingerprint) const noexcept
{
	Entry entry = {};
	entry.key.subject.fingerprint = fingerprint;
	const auto range = std::equal_range(first, first + count, Evidence{&entry, false, 0, 0}, is_before);

	return {range.first, static_cast<int>(range.second - range.first), {}};
}

// ---- Constants -------------------------------------------------------------------

namespace {

// Calls use(hash, samples) for each entry's constant at the place.
template <class Use>
void
each_constant(const EvidenceList &evidence, std::uint64_t fingerprint, Oid relation, AttrNumber column, Oid operation,
			  Use &&use) noexcept
{
	for (const Evidence &each : evidence.of(fingerprint))
	{
		const Entry &entry = *each.entry;
		if (entry.key.subject.relation != relation)
			continue;
		for (int i = 0; i < entry.key.predicate.count; ++i)
		{
			const Clause &clause = entry.key.predicate.clauses[i];
			if (clause.column == column && !clause.is_expression && clause.operation == operation &&
				entry.constants.of[i] != unknown_constant)
				use(entry.constants.of[i], entry.constants.samples);
		}
	}
}

} // namespace

Recurrence
recurrence_of(const EvidenceList &evidence, std::uint64_t fingerprint, Oid relation, AttrNumber column, Oid operation,
			  const Const *constant) noexcept
{
	const ConstantHash wanted = constant->constisnull ? unknown_constant : hash_of_constant(constant);
	std::uint64_t samples = 0;
	bool varies = false;

	each_constant(evidence, fingerprint, relation, column, operation, [&](ConstantHash hash, std::uint64_t more) {
		varies |= hash != wanted;
		samples += more;
	});
	if (varies)
		return Recurrence::varies;
	return samples >= samples_to_recur ? Recurrence::recurs : Recurrence::unknown;
}

ConstantHash
recurring_constant(const EvidenceList &evidence, std::uint64_t fingerprint, Oid relation, AttrNumber column,
				   Oid operation) noexcept
{
	ConstantHash one = unknown_constant;
	std::uint64_t samples = 0;

	each_constant(evidence, fingerprint, relation, column, operation, [&](ConstantHash hash, std::uint64_t more) {
		one = one == unknown_constant || one == hash ? hash : varied_constant;
		samples += more;
	});
	return samples >= samples_to_recur && one != varied_constant ? one : unknown_constant;
}

} // namespace remedy::scans
