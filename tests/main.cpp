// The main function of every test program: doctest's own. Compiled once, because it takes longer than most tests.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
