// Real folders, copied as people copy them: put back, and taken to a second machine.
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

struct Two {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};
  Two() {
    introduce(a, b);
    b.start();
    await_equal(a, b);
  }
};

void copy_folder(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::create_directory(to);
  fs::permissions(to, fs::perms::owner_all);
  for (const fs::directory_entry& file : fs::directory_iterator(from))
    if (file.is_regular_file()) fs::copy_file(file.path(), to / file.path().filename());
}

Run set_tag(const Device& device, const std::string& name) { return device.starling({"tag", "set", name}); }

}  // namespace

TEST_CASE("identity: a whole folder is put back from a copy, and goes on at once: nothing of either history is lost") {
  Two two;
  (void)two.b.ask({"tag", "set", "before"});
  await_equal(two.a, two.b);
  CHECK(two.b.stop() == 0);
  copy_folder(two.b.folder(), two.temp / "copy");
  two.b.start();
  (void)two.b.ask({"tag", "set", "after"});
  await_equal(two.a, two.b);
  const json origin = two.b.status()["origin"];
  CHECK(two.b.stop() == 0);
  two.b.start();
  CHECK(two.b.status()["origin"] == origin);  // it is what it was
  CHECK(two.b.stop() == 0);
  copy_folder(two.temp / "copy", two.b.folder());
  CHECK(set_tag(two.b, "meanwhile").code == 0);  // with no daemon, and nobody to ask
  two.b.start();
  await_equal(two.a, two.b);
  CHECK(two.b.status()["origin"] != origin);
  for (Device* device : {&two.a, &two.b})
    for (const char* tag : {"before", "after", "meanwhile"}) CHECK(device->has_tag(tag));
}

TEST_CASE("identity: a folder runs on two machines: both are told and write nothing more, until the user decides") {
  Two two;
  CHECK(two.b.stop() == 0);
  Device twin(two.temp, "B's twin");
  copy_folder(two.b.folder(), twin.folder());
  CHECK(set_tag(two.b, "b1").code == 0);
  CHECK(set_tag(twin, "twin1").code == 0);
  two.b.start();
  twin.start();
  const auto told = [](Device& device) { return device.status()["doubled"] == true; };
  await("both are told", [&] { return told(two.b) && told(twin); }, 60s);
  const Run refused = set_tag(twin, "no");
  CHECK(refused.code == 1);
  CHECK(refused.errors.find("another machine lives under this device's identity") != std::string::npos);
  CHECK(refused.errors.find("starling identity keep") != std::string::npos);
  CHECK(twin.starling({"status"}).output.find("Identity   another machine lives under it") != std::string::npos);
  CHECK(two.a.starling({"member", "list"}).output.find("on two machines") != std::string::npos);
  CHECK(twin.log().find("another machine lives under") != std::string::npos);

  CHECK(two.b.starling({"identity", "keep"}).output.find("This device goes on") != std::string::npos);
  CHECK(two.b.starling({"identity", "keep"}).errors.find("there is nothing to do") != std::string::npos);
  CHECK(set_tag(two.b, "goes on").code == 0);
  CHECK(twin.stop() == 0);
  await("A has it", [&] { return two.a.has_tag("goes on"); }, 60s);
  await_equal(two.a, two.b);
  CHECK(two.b.has_tag("b1"));
  CHECK(two.b.has_tag("twin1"));
  CHECK_FALSE(two.b.has_tag("no"));
}

}  // namespace starling::test
