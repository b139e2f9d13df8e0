#include "net/folder.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>

#include "tests/net/temp_folder.h"

using namespace starling;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

}  // namespace

TEST_CASE("a new folder, with its parents, is private") {
  const TempFolder temp;
  const auto folder = temp / "a" / "b";
  CHECK(prepare_folder(folder));
  CHECK(mode_of(folder) == 0700);
  CHECK(prepare_folder(folder));
}

TEST_CASE("an empty folder is made private; one that others may enter and that holds something is refused") {
  const TempFolder temp;
  REQUIRE(::chmod(temp.path().c_str(), 0755) == 0);
  CHECK(prepare_folder(temp.path()));
  CHECK(mode_of(temp.path()) == 0700);

  std::ofstream(temp / "something") << "x";
  REQUIRE(::chmod(temp.path().c_str(), 0750) == 0);
  const Expected<void> refused = prepare_folder(temp.path());
  REQUIRE(!refused);
  CHECK(refused.error().code == Errc::invalid_argument);
  CHECK(refused.error().remedy == "chmod 700 " + temp.path().string());
  CHECK(mode_of(temp.path()) == 0750);
}

TEST_CASE("no folder, a file, and a place that cannot be written are errors") {
  const TempFolder temp;
  std::ofstream(temp / "file") << "x";
  CHECK(!prepare_folder(""));
  CHECK(!prepare_folder(temp / "file"));
  CHECK(!prepare_folder(temp / "file" / "below"));
}

TEST_CASE("[F57] a folder on a network file system is refused, with what to do; one on a disk of this machine is not") {
  for (const std::uint32_t magic : {0x6969U, 0x517bU, 0xff534d42U, 0xfe534d42U}) {  // NFS, SMB of three ages
    CAPTURE(magic);
    const Expected<void> refused = check_file_system(magic, "/mnt/share");
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::invalid_argument);
    CHECK(refused.error().what.find(magic == 0x6969U ? "network drive (NFS)" : "network drive (SMB)") != std::string::npos);
    CHECK(refused.error().where == "/mnt/share");
    CHECK(refused.error().remedy.find("a disk of this machine") != std::string::npos);
  }
  // ext4, tmpfs, btrfs, XFS, overlay; FUSE and 9p, which may be either
  for (const std::uint32_t magic : {0xef53U, 0x01021994U, 0x9123683eU, 0x58465342U, 0x794c7630U, 0x65735546U, 0x01021997U}) {
    CAPTURE(magic);
    CHECK(check_file_system(magic, "/home"));
  }
}

TEST_CASE("a folder is locked once in a process, and again after that") {
  const TempFolder temp;
  {
    const Expected<FolderLock> first = FolderLock::acquire(temp.path());
    REQUIRE(first);
    const Expected<FolderLock> second = FolderLock::acquire(temp.path());
    REQUIRE(!second);
    CHECK(second.error().code == Errc::busy);
    CHECK(second.error().what == "the folder is in use by process " + std::to_string(::getpid()));
  }
  CHECK(FolderLock::acquire(temp.path()));
}

TEST_CASE("another process is refused by name, and gets the folder when the holder is killed") {
  const TempFolder temp;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const Expected<FolderLock> held = FolderLock::acquire(temp.path());
    const char answer = held ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  REQUIRE(answer == 'y');
  const Expected<FolderLock> refused = FolderLock::acquire(temp.path());
  REQUIRE(!refused);
  CHECK(refused.error().what == "the folder is in use by process " + std::to_string(child));
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(FolderLock::acquire(temp.path()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a lock file that was removed does not give the lock away twice") {
  const TempFolder temp;
  Expected<FolderLock> first = FolderLock::acquire(temp.path());
  REQUIRE(first);
  std::filesystem::remove(temp / "lock");
  CHECK(FolderLock::acquire(temp.path()));  // nobody can tell any more; but a link to elsewhere is refused
  std::filesystem::remove(temp / "lock");
  std::filesystem::create_symlink(temp / "elsewhere", temp / "lock");
  CHECK(!FolderLock::acquire(temp.path()));
}
