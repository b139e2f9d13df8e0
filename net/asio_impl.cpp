// Asio's own code, compiled once (ASIO_SEPARATE_COMPILATION): saves every other file some two seconds.
#include <asio/impl/src.hpp>
#include <asio/ssl/impl/src.hpp>
