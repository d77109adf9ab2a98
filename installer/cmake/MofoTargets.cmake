# Helpers that every folder's CMakeLists.txt uses, so that warnings, sanitizers and test labels are set in one place.
include(GoogleTest)

find_program(MOFO_CCACHE ccache)
if(MOFO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${MOFO_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MOFO_CCACHE}")
endif()

add_library(mofo_options INTERFACE)
target_include_directories(mofo_options INTERFACE "${PROJECT_SOURCE_DIR}")
# -Wrestrict of g++ 12 warns of std::string's own operator+ (GCC bug 105651).
set(MOFO_WARNINGS -Wall -Wextra -Wno-missing-field-initializers -Wno-psabi -Wno-restrict)
target_compile_options(mofo_options INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:${MOFO_WARNINGS}>")
if(MOFO_SANITIZE STREQUAL "thread")
  target_compile_options(mofo_options INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=thread;-fno-omit-frame-pointer>")
  target_link_options(mofo_options INTERFACE -fsanitize=thread)
elseif(MOFO_SANITIZE)
  target_compile_options(mofo_options INTERFACE
    "$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=address,undefined;-fno-sanitize-recover=undefined;-fno-omit-frame-pointer>")
  target_link_options(mofo_options INTERFACE -fsanitize=address,undefined)
endif()

# mofo_add_library(base SOURCES a.cpp b.cpp DEPS fmt::fmt)  defines the static library mofo_base, also known as mofo::base.
function(mofo_add_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(mofo_${name} STATIC ${arg_SOURCES})
  add_library(mofo::${name} ALIAS mofo_${name})
  target_link_libraries(mofo_${name} PUBLIC mofo_options ${arg_DEPS})
endfunction()

# mofo_add_test(core_base LABELS unit SOURCES a_test.cpp DEPS mofo::base)  defines the GoogleTest program test_core_base.
# Every case becomes a CTest test of the given labels: unit, golden, integration, gui, gpu, slow.
function(mofo_add_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;WORKING_DIRECTORY" "LABELS;SOURCES;DEPS;ENVIRONMENT" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(test_${name} ${arg_SOURCES})
  target_link_libraries(test_${name} PRIVATE mofo_options mofo_test_support ${arg_DEPS} GTest::gmock GTest::gtest_main)
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${arg_ENVIRONMENT}")
  list(JOIN arg_LABELS "|" labels)
  set_property(GLOBAL APPEND PROPERTY MOFO_TESTS "test_${name}|${arg_TIMEOUT}|${labels}")
endfunction()
