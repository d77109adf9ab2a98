# cmake -DOUTPUT=... -DROOT=... -DFLAGS=... -DSOURCES="a;b" -P hash_arithmetic.cmake: writes the header that says which arithmetic a build has.
set(all "${FLAGS}\n")
foreach(source IN LISTS SOURCES)
  file(SHA256 "${ROOT}/${source}" hash)
  string(APPEND all "${hash} ${source}\n")
endforeach()
string(SHA256 id "${all}")
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "// Made by the build.
#pragma once
namespace mofo {
/// SHA-256 over the sources that compute, the compiler and its flags.
inline constexpr const char* arithmeticId = \"${id}\";
}  // namespace mofo
")
