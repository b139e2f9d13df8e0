# The public headers: which they are, and how they look to those who include them.
#
# Public is what an application includes (net/starling.h, models/*.h) and whatever that includes in quotes, no more. In
# the tree they include each other by their path from its root; outside everything stands below starling/, so that
# nothing of ours is in the way of somebody else's "core/base/ids.h". net/starling.h is outside <starling/starling.h>.
#
# Read when the build is configured (package/CMakeLists.txt) and by `cmake --install`.
cmake_policy(VERSION 3.25)

# Sets `out` to the paths of the public headers from the root of the tree, in alphabetical order.
function(starling_public_headers out source)
  file(GLOB found RELATIVE ${source} ${source}/models/*.h)
  set(todo net/starling.h ${found})
  set(public "")
  while(todo)
    list(POP_FRONT todo header)
    if(NOT header IN_LIST public)
      list(APPEND public ${header})
      file(STRINGS ${source}/${header} lines REGEX "^#include \"[^\"]+\"")
      list(TRANSFORM lines REPLACE "^#include \"([^\"]+)\".*" "\\1")
      list(APPEND todo ${lines})
    endif()
  endwhile()
  list(SORT public)
  set(${out} ${public} PARENT_SCOPE)
endfunction()

# Sets `out` to where a header stands below starling/.
function(starling_header_place out header)
  string(REGEX REPLACE "^net/starling\\.h$" "starling.h" place ${header})
  set(${out} ${place} PARENT_SCOPE)
endfunction()

# Installs the public headers below `destination`, their includes rewritten.
function(starling_install_headers source staging destination)
  string(RANDOM LENGTH 12 name)  # two installations may run at once
  set(staging ${staging}/${name})
  starling_public_headers(headers ${source})
  foreach(header IN LISTS headers)
    starling_header_place(place ${header})
    file(READ ${source}/${header} text)
    string(REPLACE "\n#include \"" "\n#include \"starling/" text "${text}")
    file(WRITE ${staging}/starling/${place} "${text}")
  endforeach()
  file(INSTALL ${staging}/starling DESTINATION ${destination})
  file(REMOVE_RECURSE ${staging})
endfunction()
