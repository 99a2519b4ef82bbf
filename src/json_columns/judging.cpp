#include "json_columns/judging.hpp"

#include <algorithm>
#include <string_view>

#include "json_columns/jsonb_spelling.hpp"
#include "server/guard.hpp"
#include "server/json_parser.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace remedy::json_columns {

namespace {

// Below these, nothing but what is looked at can make the server refuse a document: a level of
// nesting takes it less than 1 kB of stack, of which there are at least 100; a value that is
// written with n bytes takes less than 6 n.
constexpr int most_levels_surely = 100;
constexpr int most_bytes_surely = 16 * 1024 * 1024;

// Numbers of fewer characters are in the range, if they have no exponent.
constexpr int64 longest_number_surely = 16000;

// In larger documents memory is given back at once.
constexpr int thrifty_from = 1024 * 1024;

// ---- Memory ------------------------------------------------------------------------

// Grows; errors leave it whole.
template <class T>
struct Stack
{
	T *items;
	uint32 count;
	uint32 capacity;

	void init(uint32 first_capacity) noexcept
	{
		items = static_cast<T *>(palloc(sizeof(T) * first_capacity));
		capacity = first_capacity;
	}

	void push(const T &item) noexcept
	{
		if (unlikely(count == capacity))
		{
			items = static_cast<T *>(repalloc_huge(items, sizeof(T) * capacity * 2));
			capacity *= 2;
		}
		items[count++] = item;
	}

	T &top() noexcept { return items[count - 1]; }
};

struct OpenContainer
{
	uint32 first_key;
	uint32 members;
	uint32 most_members;
	bool in_order; // the keys so far, as jsonb would print them
};

} // namespace

struct JudgeMemory
{
	MemoryContext of_a_document;  // its first block stays, so that most documents need no other
	Stack<std::string_view> keys; // of all open objects
	Stack<OpenContainer> open;
};

JudgeMemory *
make_judge_memory() noexcept
{
	JudgeMemory *const memory = static_cast<JudgeMemory *>(palloc0(sizeof(JudgeMemory)));

	memory->of_a_document = AllocSetContextCreate(CurrentMemoryContext, "pg_remedy document", ALLOCSET_DEFAULT_SIZES);
	memory->keys.init(64);
	memory->open.init(16);
	return memory;
}

namespace {

// ---- Looking at a document ---------------------------------------------------------

// The server doubles an array of such entries while it reads a container, up to the largest
// piece of memory that it gives; then it fails.
constexpr uint32
most_of(std::size_t entry) noexcept
{
	uint32 most = 4;
	while (most * 2 * entry <= MaxAllocSize)
		most *= 2;
	return most;
}

[[noreturn]] void
refuse_size() noexcept
{
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many members for jsonb")));
	pg_unreachable();
}

class Looker
{
public:
	Looker(JudgeMemory &memory, bool thrifty) noexcept : keys_(memory.keys), open_(memory.open), thrifty_(thrifty)
	{
		keys_.count = 0;
		open_.count = 0;
	}

	Faults faults() const noexcept { return faults_; }
	uint32 depth() const noexcept { return depth_; }

	void begin_object() noexcept { begin(most_of(sizeof(JsonbPair))); }
	void begin_array() noexcept { begin(most_of(sizeof(JsonbValue))); }
	void end_array() noexcept { --open_.count; }

	void key(const char *text) noexcept
	{
		OpenContainer &object = open_.top();
		const std::string_view key = text;

		if (keys_.count > object.first_key && object.in_order)
			object.in_order = precedes_in_jsonb(keys_.top(), key);
		keys_.push(key);
	}

	void end_object() noexcept
	{
		const OpenContainer &object = open_.top();

		if (!object.in_order)
			look_at_order(keys_.items + object.first_key, keys_.items + keys_.count);
		if (thrifty_)
			for (uint32 i = object.first_key; i < keys_.count; ++i)
				pfree(const_cast<char *>(keys_.items[i].data()));
		keys_.count = object.first_key;
		--open_.count;
	}

	void value(const server::JsonToken &token) noexcept
	{
		OpenContainer &container = open_.top();

		CHECK_FOR_INTERRUPTS();
		if (unlikely(++container.members > container.most_members))
			refuse_size();
		if (token.type == JSON_TOKEN_NUMBER)
			look_at_number({token.text, static_cast<std::size_t>(token.length)});
	}

	void look_at_number(std::string_view number) noexcept
	{
		const bool exponent = has_exponent(number);

		if (exponent)
			faults_ |= bit(Fault::exponent);
		if (is_negative_zero(number))
			faults_ |= bit(Fault::negative_zero);
		if (exponent || number.size() > longest_number_surely)
			convert_number(number);
	}

private:
	void begin(uint32 most_members) noexcept
	{
		open_.push({keys_.count, 0, most_members, true});
		depth_ = Max(depth_, open_.count);
	}

	// Keys that are out of order are no fault of the printed text alone if some are the same.
	void look_at_order(std::string_view *first, std::string_view *last) noexcept
	{
		bool in_order_but_doubled = true;

		for (const std::string_view *key = first + 1; key < last; ++key)
			in_order_but_doubled &= !precedes_in_jsonb(key[0], key[-1]);
		if (!in_order_but_doubled)
			faults_ |= bit(Fault::key_order);
		std::sort(first, last, precedes_in_jsonb);
		if (std::adjacent_find(first, last) != last)
			faults_ |= bit(Fault::duplicate_key);
	}

	// Raises an error where the server's type does.
	static void convert_number(std::string_view number) noexcept
	{
		char *const text = pnstrdup(number.data(), number.size());
		const Datum value =
			DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

		pfree(DatumGetPointer(value));
		pfree(text);
	}

	Stack<std::string_view> &keys_;
	Stack<OpenContainer> &open_;
	bool thrifty_;
	Faults faults_ = 0;
	uint32 depth_ = 0;
};

// ---- What the server says ----------------------------------------------------------

// A document that is a number has no container that would tell of it.
void
look_at_lone_number(const char *text, int length, Looker &looker) noexcept
{
	constexpr std::string_view space = " \t\n\r";
	std::string_view rest(text, length);

	rest.remove_prefix(std::min(rest.find_first_not_of(space), rest.size()));
	if (rest.empty() || (rest.front() != '-' && (rest.front() < '0' || rest.front() > '9')))
		return;
	looker.look_at_number(rest.substr(0, rest.find_first_of(space)));
}

Faults
fault_of_result(JsonParseErrorType result) noexcept
{
	if (result == JSON_UNICODE_CODE_POINT_ZERO)
		return bit(Fault::nul_escape);
	if (result == JSON_UNICODE_HIGH_SURROGATE || result == JSON_UNICODE_LOW_SURROGATE)
		return bit(Fault::surrogate);
	if (server::is_untranslatable(result))
		return bit(Fault::untranslatable);
	if (result == server::json_too_deep)
		return bit(Fault::nesting);
	return bit(Fault::invalid);
}

// The server's errors that speak of the document; others are raised as they are.
Faults
fault_of_error(int sqlstate) noexcept
{
	switch (sqlstate)
	{
	case ERRCODE_UNTRANSLATABLE_CHARACTER:
	case ERRCODE_FEATURE_NOT_SUPPORTED: // as in SQL_ASCII
		return bit(Fault::untranslatable);
	case ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE:
		return bit(Fault::numeric_range);
	case ERRCODE_STATEMENT_TOO_COMPLEX:
		return bit(Fault::nesting);
	case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
	case ERRCODE_OUT_OF_MEMORY:
	case ERRCODE_INTERNAL_ERROR: // an allocation that is too large
		return bit(Fault::size);
	case ERRCODE_INVALID_TEXT_REPRESENTATION:
		return bit(Fault::invalid);
	default:
		return 0;
	}
}

bool
speaks_of_document(int sqlstate) noexcept
{
	return fault_of_error(sqlstate) != 0;
}

Faults
look(const char *text, int length, JudgeMemory &memory) noexcept
{
	MemoryContextSwitchTo(memory.of_a_document);
	Looker looker(memory, length >= thrifty_from);
	const JsonParseErrorType result = server::parse_json(text, length, looker);

	if (result != JSON_SUCCESS)
		return fault_of_result(result);
	look_at_lone_number(text, length, looker);
	if (looker.depth() >= most_levels_surely || length >= most_bytes_surely)
		DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(text, length)));
	return looker.faults();
}

} // namespace

Faults
judge(const char *text, int length, JudgeMemory &memory) noexcept
{
	const std::string_view whole(text, length);
	int sqlstate = 0;
	Faults faults = 0;

	if (!attempt_in_memory([&]() noexcept { faults = look(text, length, memory); }, &sqlstate, speaks_of_document))
		faults = fault_of_error(sqlstate);
	MemoryContextReset(memory.of_a_document);
	if (verdict_of(faults) == Verdict::rejected)
		return faults;
	if (!is_spaced_like_jsonb(whole))
		faults |= bit(Fault::white_space);
	if (!is_escaped_like_jsonb(whole))
		faults |= bit(Fault::escapes);
	return faults;
}

const char *
name_of(Verdict verdict) noexcept
{
	static constexpr const char *names[verdict_count] = {"rejected", "lossy", "reprinted", "unchanged"};
	return names[static_cast<int>(verdict)];
}

const char *
name_of(Fault fault) noexcept
{
	static constexpr const char *names[fault_count] = {
		"NUL escape",   "surrogate",     "untranslatable escape", "numeric range", "nesting", "size",
		"invalid json", "duplicate key", "negative zero",         "key order",     "escapes", "exponent",
		"white space"};
	return names[static_cast<int>(fault)];
}

} // namespace remedy::json_columns
