// sources:

#include "check.hpp"

#include <cmath>

#include "index_advice/variant_weights.hpp"

namespace {

using remedy::index_advice::fit_weights;

struct Three
{
	double weights[3] = {0.25, 0.5, 0.25};

	double sum() const { return weights[0] + weights[1] + weights[2]; }
	double mean(const double *rows) const { return weights[0] * rows[0] + weights[1] * rows[1] + weights[2] * rows[2]; }
};

bool
is_near(double one, double other)
{
	return std::abs(one - other) < 1e-6 * (1 + std::abs(other));
}

constexpr double rows[] = {8900, 1000, 100};

TEST(what_is_expected_becomes_what_was_observed)
{
	for (double observed : {100.0, 120.0, 1000.0, 2750.0, 5000.0, 8900.0})
	{
		Three three;
		fit_weights(rows, observed, three.weights, 3);
		CHECK(is_near(three.sum(), 1));
		CHECK(is_near(three.mean(rows), observed));
	}
}

TEST(what_no_variant_expects_goes_to_the_nearest)
{
	Three few, many;
	fit_weights(rows, 3, few.weights, 3);
	CHECK(is_near(few.weights[2], 1));
	fit_weights(rows, 1e6, many.weights, 3);
	CHECK(is_near(many.weights[0], 1));
}

TEST(what_is_right_already_stays)
{
	Three three;
	fit_weights(rows, 2825, three.weights, 3); // no more than rounding
	fit_weights(rows, three.mean(rows), three.weights, 3);
	CHECK(is_near(three.mean(rows), 2825));
	Three untouched;
	fit_weights(rows, untouched.mean(rows), untouched.weights, 3);
	CHECK(is_near(untouched.weights[0], 0.25) && is_near(untouched.weights[1], 0.5));
}

TEST(a_page_tells_nothing)
{
	constexpr double pages[] = {20, 20, 20};
	Three three;
	fit_weights(pages, 7, three.weights, 3);
	CHECK(three.weights[0] == 0.25 && three.weights[1] == 0.5 && three.weights[2] == 0.25);
}

TEST(one_variant_has_all_the_weight)
{
	double weight = 1;
	fit_weights(rows, 5, &weight, 1);
	CHECK(weight == 1);
}

} // namespace
