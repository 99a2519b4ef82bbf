// The form of a statement in which another session can plan it again.
//
// That is its text as the client sent it, with its constants: a text whose constants
// are $n means something else (ORDER BY 1), or nothing at all (date '…').  So it stays
// in memory: it is planned, and never shown.  Of statements that were not run since the
// server's start there is only the text without constants.  With it come the types of
// the parameters, the search path, who ran it, and where pg_remedy.keep_values is on
// the values of some runs.

#pragma once

#include "observe/samples.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

struct Replannable
{
	std::uint64_t fingerprint;
	Oid user;                // who ran it first
	const char *text;        // not to be shown
	bool cut;                // it is not whole
	bool ambiguous;          // its strings may be meant in two ways
	bool has_constants;      // as the client sent it; else they are $n too
	int parameter_count;     // -1: not known
	Oid *parameter_types;    // of the client's
	const char *search_path; // null: not known
	int sample_count;
	const Sample *samples; // the oldest first
};

// The forms are of this database's statements, in the current memory context.
bool find_replannable(std::uint64_t fingerprint, Replannable &form) noexcept;

// The fingerprints of all texts of this database; returns how many.
int replannable_statements(std::uint64_t *&fingerprints) noexcept;

// A statement as the server's analyser understands it today.
struct Analysed
{
	const char *text;
	List *queries; // that have a plan, rewritten: more than one if a rule says so, none of a utility command
	Oid *parameter_types;
	int parameter_count;
	bool takes_values; // its parameters are the client's, in this order
};

// Analyses the form, or the text of a sample without parameters, and calls use() as the one
// who ran it and under his search path; notices of functions are not shown, and no lock is
// waited for longer than a second.
//
// Raises an error if the statement cannot be analysed any more, or never could from its
// text.  The locks on what the text names are kept to the (sub)transaction's end, which also
// puts everything right after an error: call it in one.
void analyse_again(const Replannable &form, const Sample *sample, void (*use)(const Analysed &, void *),
				   void *context) noexcept;

// Calls use() in the same surroundings, for what is to be done with the rights of who ran it.
void with_rights_of(const Replannable &form, void (*use)(void *), void *context) noexcept;

// The sample's values; null if it has none for this text.
ParamListInfo values_of(const Sample &sample, const Analysed &analysed) noexcept;

// The statement's plans, in the same way and in the current memory context.  With a sample
// of it they are made for its values, without one for any.
List *plan_again(const Replannable &form, const Sample *sample) noexcept;

} // namespace remedy::observe
