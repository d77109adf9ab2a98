# What installer/bootstrap bundle takes along. Included by the root CMakeLists.txt once every target is known; defines the target
# mofo_bundle_programs, which builds all of it, and writes into the build folder
#
#   bundle-programs.txt   lines "KIND SECONDS PATH"; KIND is program, test, gpu (a test of the GPU, for `run gpu-check`) or benchmark, SECONDS the
#                         limit of a test, else 0
#   bundle-version.txt    lines "KEY VALUE" for the bundle's VERSION

set(_programs "")
foreach(_target mofo mofo-engine mofo_cuda mofo-gpu-check)
  if(TARGET ${_target})
    list(APPEND _programs "program 0 ${_target}")
  endif()
endforeach()

# Tests of kernels and engine need nothing but LibTorch; tests labelled gpu go along wherever they stand. The golden ones need ../shared.
get_property(_tests GLOBAL PROPERTY MOFO_TESTS)
foreach(_test ${_tests})
  string(REPLACE "|" ";" _test "${_test}")
  list(POP_FRONT _test _target _seconds)
  if("gpu" IN_LIST _test)
    list(APPEND _programs "gpu ${_seconds} ${_target}")
  elseif(_target MATCHES "^test_(kernels|core_engine)" AND NOT "golden" IN_LIST _test)
    list(APPEND _programs "test ${_seconds} ${_target}")
  endif()
endforeach()

get_property(_benchmarks DIRECTORY "${PROJECT_SOURCE_DIR}/tests/bench" PROPERTY BUILDSYSTEM_TARGETS)
foreach(_target ${_benchmarks})
  get_target_property(_type ${_target} TYPE)
  if(_type STREQUAL "EXECUTABLE")
    list(APPEND _programs "benchmark 0 ${_target}")
  endif()
endforeach()

add_custom_target(mofo_bundle_programs)
set(_lines "")
foreach(_program ${_programs})
  string(REGEX MATCH "^(.*) ([^ ]+)$" _ "${_program}")
  add_dependencies(mofo_bundle_programs ${CMAKE_MATCH_2})
  string(APPEND _lines "${CMAKE_MATCH_1} $<TARGET_FILE:${CMAKE_MATCH_2}>\n")
endforeach()
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/bundle-programs.txt" CONTENT "${_lines}")

set(_cuda none)
if(MOFO_WITH_CUDA)
  list(JOIN CMAKE_CUDA_ARCHITECTURES "," _cuda)
  set(_cuda "${CMAKE_CUDA_COMPILER_VERSION} for ${_cuda}")
endif()
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/bundle-version.txt" CONTENT "version ${PROJECT_VERSION}\ncuda ${_cuda}\n")
