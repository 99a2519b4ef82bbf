// One statement for all the repeats of a loop.
//
// Its parameters are: $1, and if need be more, arrays with an element for each repeat, of the keys
// or of what is written; after these, in the order of the text, what else the repeated
// statement was given and did not vary.  Every value of the client's is a parameter.  A SELECT's rows
// tell which repeat they belong to: by the key's column, or by "ord", the place of the key in the
// array.  A write does to each row what its repeat did, if no two repeats concern the same row.
//
// It is written from the statement's tree by the server's deparser, read again, and planned;
// nothing is run.  What may mean something else than the loop is not offered.

#pragma once

#include "observe/query_text.hpp"
#include "repetition/shapes.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

struct Batch
{
	static constexpr int keys = 10; // as many as the planner takes arrays to have

	const char *text;   // in the current memory context; null: none is known
	double cost;        // total, as the planner sees it, of the batch for ten keys
	double single_cost; // and of one repeat
};

// Of a statement that this session and user just ran.  The bits of `varying` are those keys of the
// shape that are not the same in all repeats.  Raises no error but a cancel; waits for no lock.
Batch batched(const observe::RawText &text, const Shape &shape, unsigned varying) noexcept;

} // namespace remedy::repetition
