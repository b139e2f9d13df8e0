// Rules of device-owned state: a row is known by the revision of its last change alone, so what is gone must be told, too.
#include <doctest/doctest.h>

#include "tests/sim/story.h"

namespace starling::sim {

TEST_CASE("[R13] A device held a row when its owner deleted it, and hears of it from a third one: the row goes") {
  tell("R13", [](Cluster& cluster) {
    const Three t(cluster);
    put_file(t.a, "a", "1");
    put_file(t.a, "b", "1");
    everybody_meets(cluster);
    everybody_parts(cluster);
    put_file(t.a, "b", "2");
    delete_file(t.a, "a");
    cluster.let_meet(t.a, t.b);
    everybody_parts(cluster);
    cluster.let_meet(t.b, t.c);
    CHECK(shown_by(t.c) == "file b=2");
    everybody_meets(cluster);
    return "file b=2";
  });
}

TEST_CASE("[R13-broken] A transfer breaks after its first pages, and the owner deletes and changes rows of them: whoever"
          " goes on with it, they go") {
  for (const bool from_owner : {true, false}) {
    CAPTURE(from_owner);
    tell("R13-broken", [from_owner](Cluster& cluster) {
      SimNode& owner = cluster.create("A");
      SimNode& peer = cluster.join("B");
      put_file(owner, "a", "1");
      put_file(owner, "b", "1");
      write_bulk_files(owner);
      cluster.let_meet(owner, peer);

      SimNode& joiner = cluster.join("J");
      begin_transfer(cluster, owner, joiner);
      cluster.disconnect(owner, joiner);
      REQUIRE(joiner.query("SELECT 1 FROM file WHERE path='1'").size() == 2);
      REQUIRE(joiner.count("file") < kBulk);
      delete_file(owner, "a");
      put_file(owner, "b", "2");
      cluster.run_until_quiet();
      cluster.let_meet(from_owner ? owner : peer, joiner);
      CHECK(shown_by(joiner) == "file b=2, 30 bulk files");
      everybody_meets(cluster);
      return "file b=2, 30 bulk files";
    });
  }
}

TEST_CASE("[R13-horizon] A device that joined after a row was deleted is all that a restored one meets: the restored one's"
          " row goes") {
  tell_of_each_copy("R13-horizon", [](Cluster& cluster, Copy copy) {
    const Three t(cluster);
    put_file(t.a, "a", "1");
    everybody_meets(cluster);
    const Disk::Image old = image_of(t.b);
    delete_file(t.a, "a");
    put_file(t.a, "b", "1");
    cluster.run_until_quiet();
    everybody_parts(cluster);
    SimNode& joiner = cluster.join("D");
    cluster.let_meet(t.a, joiner);
    everybody_parts(cluster);

    put_back(t.b, old, copy);
    REQUIRE(shown_by(t.b) == "file a=1");
    cluster.let_meet(t.b, joiner);
    CHECK(shown_by(t.b) == "file b=1");
    everybody_meets(cluster);
    return "file b=1";
  });
}

TEST_CASE("[R13-digest] Two devices come to one owner's state by different ways, and meet without him: in the end they show"
          " one state") {
  tell("R13-digest", [](Cluster& cluster) {
    SimNode& owner = cluster.create("A");
    SimNode& early = cluster.join("K");
    put_file(owner, "b", "1");
    write_bulk_files(owner);
    cluster.let_meet(owner, early);
    everybody_parts(cluster);

    SimNode& joiner = cluster.join("J");
    begin_transfer(cluster, owner, joiner);
    put_file(owner, "b", "2");  // its first revision is nowhere in what follows
    cluster.run_for(5ms);
    REQUIRE(joiner.count("file") < kBulk);
    owner.kill();
    cluster.let_meet(early, joiner);
    owner.restart();
    everybody_meets(cluster);
    return "file b=2, 30 bulk files";
  });
}

TEST_CASE("[owner-backup] An owner's backup is put back, and he writes before he meets anybody: what he wrote since the"
          " backup comes back, and his new rows stand over it") {
  tell("owner-backup", [](Cluster& cluster) {
    const Three t(cluster);
    for (const char* id : {"changed twice", "deleted now", "deleted then", "deleted then, changed now"}) put_file(t.a, id, "1");
    everybody_meets(cluster);
    const Disk::Image old = image_of(t.a);
    put_file(t.a, "changed twice", "2");
    put_file(t.a, "deleted now", "2");
    delete_file(t.a, "deleted then");
    delete_file(t.a, "deleted then, changed now");
    put_file(t.a, "new then", "1");
    cluster.run_until_quiet();
    everybody_parts(cluster);

    put_back(t.a, old, Copy::by_backup);
    put_file(t.a, "changed twice", "3");
    put_file(t.a, "deleted then, changed now", "3");
    delete_file(t.a, "deleted now");
    put_file(t.a, "new now", "1");
    everybody_meets(cluster);
    return "file changed twice=3, file deleted then, changed now=3, file new now=1, file new then=1";
  });
}

TEST_CASE("[owner-copy][owner-image] An owner's folder, or his whole machine, is put back as it was, and he writes as much as peers"
          " know: nothing is lost on either side") {
  for (const auto& [tag, copy] : {std::pair("owner-copy", Copy::by_hand), std::pair("owner-image", Copy::by_image)}) {
    tell(tag, [copy = copy](Cluster& cluster) {
      const Three t(cluster);
      put_file(t.a, "kept", "1");
      everybody_meets(cluster);
      const Disk::Image old = image_of(t.a);
      put_file(t.a, "new then", "1");
      cluster.run_until_quiet();
      everybody_parts(cluster);

      put_back(t.a, old, copy);
      put_file(t.a, "new now", "1");
      put_file(t.a, "newer now", "1");
      everybody_meets(cluster);
      return "file kept=1, file new now=1, file new then=1, file newer now=1";
    });
  }
}

}  // namespace starling::sim
