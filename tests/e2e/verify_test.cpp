// starling verify: with the real programs, with a daemon and without.
#include "tests/e2e/device.h"

namespace starling::test {

TEST_CASE("verify: says that all is well, proves two devices equal, and shows what differs") {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};
  introduce(a, b);
  b.start();
  (void)a.ask({"tag", "set", "red"});
  await_equal(a, b);
  CHECK(a.ask({"verify"})["well"] == true);
  CHECK(a.starling({"verify"}).output.find("all well") != std::string::npos);
  CHECK(b.stop() == 0);
  const Run same = a.starling({"verify", "--against", b.folder().string()});
  CHECK(same.code == 0);
  CHECK(same.output.find("the same in") != std::string::npos);

  (void)a.ask({"tag", "set", "green"});
  const Run other = a.starling({"verify", "--against", b.folder().string()});
  CHECK(other.code == 1);
  CHECK(other.output.find("green") != std::string::npos);
  CHECK(other.output.find("no row") != std::string::npos);
  CHECK(a.stop() == 0);
  CHECK(a.starling({"verify"}).code == 0);
  CHECK(a.starling({"verify", "--against", (temp / "nothing").string()}).errors.find("a backup of one") != std::string::npos);
}

}  // namespace starling::test
