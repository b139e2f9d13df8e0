#include "apps/examples/shelf/options.h"

#include <QtCore/QCommandLineParser>
#include <QtCore/QDir>
#include <QtCore/QSettings>

#include "net/folder.h"

namespace starling::shelf {

const char* const kUsage = R"(A shelf of files with tags, the same on all of your devices.

  starling-shelf FOLDER --id                   what the other devices must be told
  starling-shelf FOLDER --create --listen HOST:PORT --peer PEER
  starling-shelf FOLDER --join PEER            take the shelf from that device
  starling-shelf FOLDER                        from then on

  PEER: [NAME=]DEVICE-ID[@HOST:PORT]; --peer may be given several times
  --name NAME      what this device is called
  --index FOLDER   put that folder's files on the shelf; several times
)";

namespace {

Error wrong(const QString& what, const QString& where) {
  return {Errc::invalid_argument, what.toStdString(), where.toStdString(), "starling-shelf --help"};
}

Expected<void> add_peer(Options& options, const QString& text) {
  const qsizetype equals = text.indexOf('=');
  const QString rest = text.mid(equals + 1);
  const qsizetype at = rest.indexOf('@');
  const Expected<DeviceId> device = parse_device_id(rest.left(at).toStdString());
  if (!device) return device.error();
  Peer peer{*device, {}};
  if (at >= 0) peer.addresses = {rest.mid(at + 1).toStdString()};
  if (equals > 0) options.names.set(*device, text.left(equals));
  options.peers.push_back(std::move(peer));
  return {};
}

// The value from the command line, which is remembered, or what was remembered.
template <class Value>
Value remember(QSettings& settings, const QString& key, const Value& given) {
  if (given != Value()) settings.setValue(key, given);
  return settings.value(key).template value<Value>();
}

}  // namespace

Expected<Options> read_options(const QStringList& words) {
  QCommandLineParser parser;
  for (const char* flag : {"id", "create", "drive"}) parser.addOption(QCommandLineOption(flag));
  for (const char* with_value : {"join", "peer", "listen", "name", "index"})
    parser.addOption(QCommandLineOption(with_value, "", "value"));
  if (!parser.parse(words)) return wrong(parser.errorText(), {});
  if (parser.positionalArguments().size() != 1) return wrong("one data folder is wanted", words.join(' '));

  Options options;
  options.folder = parser.positionalArguments().front().toStdString();
  for (const QString& folder : parser.values("index")) options.index.append(QDir::cleanPath(QDir().absoluteFilePath(folder)));
  options.drive = parser.isSet("drive");
  options.only_id = parser.isSet("id");
  if (const Expected<void> made = prepare_folder(options.folder); !made) return made.error();
  QSettings settings(QString::fromStdString((options.folder / "shelf.ini").string()), QSettings::IniFormat);
  const QString start = parser.isSet("create") ? "create" : parser.isSet("join") ? "join" : "";
  options.start = remember(settings, "start", start) == "join" ? Start::join : Start::create;
  if (settings.value("start").isNull() && !options.only_id) return wrong("neither --create nor --join", words.join(' '));
  options.listen = remember(settings, "listen", parser.value("listen")).toStdString();
  options.name = remember(settings, "name", parser.value("name"));
  const QStringList given = parser.values("join") + parser.values("peer");
  for (const QString& peer : given.isEmpty() ? settings.value("peers").toStringList() : given) {
    if (const Expected<void> added = add_peer(options, peer); !added) return added.error();
  }
  (void)remember(settings, "peers", given);  // only what can be read again
  return options;
}

}  // namespace starling::shelf
