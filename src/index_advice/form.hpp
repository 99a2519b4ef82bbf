// An index that is being put together from conditions and an order, and where it is handed
// in when it is done.

#pragma once

#include "index_advice/picked.hpp"
#include "index_advice/forms.hpp"

namespace remedy::index_advice {

struct Form
{
	Definition definition;
	Picked used; // conditions that it answers
	const Picked *predicate;
	unsigned reasons;
	int alternatives;
	Bitmapset *columns; // that it holds or reads

	void use(const Condition &condition) noexcept;

	void add_equalities(const Picked &conditions) noexcept;
	void add_range(const Condition &range) noexcept;
	void add_search(const Condition &search, const char *method) noexcept;
	void add_order(const Order &order) noexcept;
};

// The predicate must live as long as the form.
Form form_with(const Table &table, const Picked &predicate) noexcept;

// What one scan's table has, and gets.
class Offers
{
public:
	Offers(const Scan &scan, const Bitmapset *output) noexcept;

	// Unless an existing index serves as well.
	void put(const Form &form, double promise) noexcept;

	// Also with the other columns that the query reads, where these are few and narrow.
	void put_and_cover(const Form &form, double promise) noexcept;

	// Whether a unique index finds the one row that these conditions ask for, or one for each
	// value of a list.
	bool finds_one_row(const Picked &conditions) const noexcept;

private:
	bool is_served(const Form &form) const noexcept;

	const Scan &scan_;
	const Bitmapset *const output_;
	ExistingIndex *existing_;
	int existing_count_;
};

} // namespace remedy::index_advice
