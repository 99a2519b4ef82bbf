// The hooks by which a plan's making can be told of other indexes than there are.
//
// The hook that was there before is asked first for a relation, and after ours for a
// name or statistics.  Also here: what differs between versions in the planner's data.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "access/amapi.h"
#include "access/attmap.h"
#include "nodes/pathnodes.h"
#include "optimizer/plancat.h"
#include "utils/selfuncs.h"
}

namespace remedy::server {

struct PlannerHooks
{
	// After the planner has looked the relation up.
	void (*relation)(PlannerInfo *root, Oid relation, bool is_parent, RelOptInfo *information);
	// Whether it has given the statistics of an index's expression.
	bool (*index_statistics)(PlannerInfo *root, Oid index, AttrNumber column, VariableStatData *variable);
	// What EXPLAIN calls an index; null: what the catalog says.
	const char *(*index_name)(Oid index);
};

// Whoever installs them defines them.
extern const PlannerHooks planner_hooks;

// At most once in a process.
void install_planner_hooks() noexcept;

using CostEstimator = void (*)(PlannerInfo *, IndexPath *, double, Cost *, Cost *, Selectivity *, double *, double *);

void set_cost_estimator(IndexOptInfo &index, CostEstimator estimator) noexcept;

// Unique with NULLs that are equal, which planners before version 18 need not know.
void set_equal_nulls(IndexOptInfo &index, bool equal) noexcept;

bool has_bitmap_scans(const TableAmRoutine *method) noexcept;

// From the parent's columns to those of its partition.
AttrMap *columns_of_partition(Relation parent, Relation partition) noexcept;

// SELECT FROM relation WHERE condition, whose table is number 1.
Query *rows_where(Relation relation, Node *condition) noexcept;

} // namespace remedy::server
