// The analysed tree of a repeated statement, and what is to be changed in it for a batch.
//
// Everything here may raise an error and takes locks: call it in attempt().  No tree is
// changed; what differs is built anew.

#pragma once

#include "observe/query_text.hpp"
#include "repetition/shapes.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

// The tree of one statement's text, with no hook told of it; null if it is another
// command than SELECT, INSERT, UPDATE and DELETE.
Query *analysed_text(const char *text, const Oid *types, int count) noexcept;

// A key that varies from repeat to repeat.
struct VaryingKey
{
	OpExpr *condition;
	int side;      // of the condition's arguments, the value's
	int parameter; // its number; 0: a constant
	bool alone;    // the value stands nowhere else
	Var *column;
	Oid element; // type of the value
};

struct Original
{
	const char *text;
	Query *query;
	int key_count;
	VaryingKey keys[keys_per_shape];
	List *fixed; // conditions of keys that do not vary
};

// False if there is nothing to make a batch of.
bool read_original(const observe::RawText &text, const Shape &shape, unsigned varying, Original &original) noexcept;

// Whether another condition asks for the value that a key had in the running execution, or in
// the text: it may be the key again, and vary with it.
bool has_twin(const Original &original) noexcept;

// Whether the query's result are just those rows, among all that it would have without it, for
// which the condition holds.
bool is_filter(const Query *query, const OpExpr *condition) noexcept;

// The value that an expression is but for casts that the parser added: a constant or a
// parameter; otherwise null.
Node *plain_value(Expr *expression) noexcept;

// Whether a constant or parameter of the client's is in there.
bool has_values(Node *node) noexcept;

// One array of the batch: the values of a key, or those that a write puts into a column.
struct BatchArray
{
	Oid element;
	char name[2 * NAMEDATALEN]; // of its column in u, which unnests them
};

constexpr int batch_array_limit = 64;

// What becomes of the original.  Afterwards parameters up to array_count stand for the arrays, or
// for their elements, which have no cast; those above for the other values.
struct Rewriting
{
	const Original *original;
	bool whole_arrays; // keys are compared with = ANY (array)
	bool share;        // equal constants are one parameter
	int array_count;
	BatchArray arrays[batch_array_limit];
	int place_count;
	struct
	{
		const Node *from;
		Node *to;
	} places[batch_array_limit + keys_per_shape];
	List *others;
	bool refused; // there is something in it that is not known to survive
};

// Arrays for the keys, which are the first ones.
void add_keys(Rewriting &rewriting) noexcept;

// An array for a value of a write; false if there can be none.
bool add_array(Rewriting &rewriting, const Node *value, Oid type, const char *name) noexcept;

// The new tree; null if it is refused.
Query *rewritten(Rewriting &rewriting) noexcept;

// Has the query return the column, if it does not yet.
void add_output(const Query *query, List *&targets, Var *column) noexcept;

// The same as its first column, by which its rows are grouped; false if it cannot be.
bool group_by(Query *query, const VaryingKey &key) noexcept;

} // namespace remedy::repetition
