// A fuzzer of the rule; see test/fuzz/run.

#include "../unit/rule_stream.hpp"

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
	rule::Stream(bytes, size).play();
	return 0;
}
