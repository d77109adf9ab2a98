# CUDA for the kernels: finds an nvcc of CUDA 13, enables the language, and defines
#
#   mofo_add_cuda_library(kernels_cuda SOURCES a.cu b.cpp DEPS ...)   the static library mofo_kernels_cuda, also known as mofo::kernels_cuda
#   mofo_cuda::runtime   libcudart.so.13, the one that LibTorch brings, so that kernels and LibTorch share one runtime in a process
#   MOFO_CUDA_ROOT       the toolkit's folder: the one that holds bin/nvcc
#
# nvcc is looked for in MOFO_CUDA_ROOT (also as a variable of the environment), CUDACXX, the PATH, /usr/local/cuda*, and among the wheels that
# installer/bootstrap fetches. Included where MOFO_WITH_CUDA is on.

set(MOFO_CUDA_ROOT "" CACHE PATH "CUDA 13 toolkit: the folder that holds bin/nvcc; empty: look for it")

if(DEFINED ENV{XDG_CACHE_HOME})
  set(_cuda_cache "$ENV{XDG_CACHE_HOME}/mofo")
else()
  set(_cuda_cache "$ENV{HOME}/.cache/mofo")
endif()

# Sets `version` to "13.0" for a program that says so, else to nothing.
function(_mofo_nvcc_version nvcc version)
  set(${version} "" PARENT_SCOPE)
  execute_process(COMMAND "${nvcc}" --version OUTPUT_VARIABLE text ERROR_QUIET RESULT_VARIABLE code)
  if(code EQUAL 0 AND text MATCHES "release ([0-9]+\\.[0-9]+)")
    set(${version} "${CMAKE_MATCH_1}" PARENT_SCOPE)
  endif()
endfunction()

if(NOT CMAKE_CUDA_COMPILER)
  set(_places "")
  if(MOFO_CUDA_ROOT)
    set(_places "${MOFO_CUDA_ROOT}/bin/nvcc")
  elseif(DEFINED ENV{MOFO_CUDA_ROOT})
    set(_places "$ENV{MOFO_CUDA_ROOT}/bin/nvcc")
  else()
    if(DEFINED ENV{CUDACXX})
      list(APPEND _places "$ENV{CUDACXX}")
    endif()
    find_program(MOFO_NVCC_IN_PATH nvcc NO_CACHE NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH NO_CMAKE_SYSTEM_PATH)
    if(MOFO_NVCC_IN_PATH)
      list(APPEND _places "${MOFO_NVCC_IN_PATH}")
    endif()
    file(GLOB _toolkits /usr/local/cuda-13*)
    list(SORT _toolkits COMPARE NATURAL)
    foreach(_toolkit /usr/local/cuda ${_toolkits} "${_cuda_cache}/cuda-13.0/nvidia/cu13")
      list(APPEND _places "${_toolkit}/bin/nvcc")
    endforeach()
  endif()
  set(_seen "")
  foreach(_place ${_places})
    _mofo_nvcc_version("${_place}" _version)
    if(_version VERSION_GREATER_EQUAL 13.0 AND _version VERSION_LESS 14)
      set(CMAKE_CUDA_COMPILER "${_place}")
      break()
    elseif(_version)
      string(APPEND _seen "; ${_place} is of CUDA ${_version}")
    endif()
  endforeach()
  if(NOT CMAKE_CUDA_COMPILER)
    list(JOIN _places ", " _places)
    message(FATAL_ERROR "MOFO_WITH_CUDA: there is no nvcc of CUDA 13 (looked at ${_places}${_seen}): run installer/bootstrap bundle, which fetches one, "
                        "set MOFO_CUDA_ROOT to a toolkit's folder, or leave MOFO_WITH_CUDA off")
  endif()
endif()

# Code for Ampere, Hopper and Blackwell's workstation cards; what runs on their relatives (8.6, 8.9, 12.1) with it. The PTX of 9.0 serves what lies
# between (10.x and 11.0, data centre Blackwell and Thor), that of 12.0 what comes later.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90 120)
endif()
if(NOT CMAKE_CUDA_HOST_COMPILER AND NOT DEFINED ENV{CUDAHOSTCXX})
  set(CMAKE_CUDA_HOST_COMPILER "${CMAKE_CXX_COMPILER}")
endif()
# CMake links no runtime by itself; mofo_cuda::runtime below is the one.
set(CMAKE_CUDA_RUNTIME_LIBRARY None)
if(MOFO_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER "${MOFO_CCACHE}")
endif()
enable_language(CUDA)
# CMake 3.25 knows no CUDA20 dialect and would quietly take 17 for the 20 that C++ asks for.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()

find_package(LibTorch QUIET)
set(_cudart "")
set(_toolkit "${CMAKE_CUDA_COMPILER_TOOLKIT_ROOT}")
foreach(_folder ${LibTorch_LIBRARY_FOLDERS} "${_toolkit}/lib64" "${_toolkit}/lib" "${_toolkit}/targets/x86_64-linux/lib")
  if(NOT _cudart AND EXISTS "${_folder}/libcudart.so.13")
    set(_cudart "${_folder}/libcudart.so.13")
    set(_cudart_folder "${_folder}")
  endif()
endforeach()
if(NOT _cudart)
  message(FATAL_ERROR "MOFO_WITH_CUDA: there is no libcudart.so.13, neither beside the LibTorch in ${MOFO_TORCH_DIR} nor in the toolkit ${_toolkit}")
endif()
if(NOT TARGET mofo_cuda::runtime)
  add_library(mofo_cuda::cudart SHARED IMPORTED)
  set_target_properties(mofo_cuda::cudart PROPERTIES IMPORTED_LOCATION "${_cudart}")
  add_library(mofo_cuda::runtime INTERFACE IMPORTED)
  target_link_libraries(mofo_cuda::runtime INTERFACE mofo_cuda::cudart)
  target_include_directories(mofo_cuda::runtime SYSTEM INTERFACE "${_toolkit}/include")
  # DT_RPATH as in FindLibTorch.cmake.
  target_link_options(mofo_cuda::runtime INTERFACE -Wl,--disable-new-dtags "-Wl,-rpath,${_cudart_folder}")
endif()
message(STATUS "CUDA kernels: ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}, runtime ${_cudart}")

function(mofo_add_cuda_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(mofo_${name} STATIC ${arg_SOURCES})
  add_library(mofo::${name} ALIAS mofo_${name})
  list(JOIN MOFO_WARNINGS "," warnings)
  target_compile_options(mofo_${name} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${warnings}>")
  target_link_libraries(mofo_${name} PUBLIC mofo_options mofo_cuda::runtime ${arg_DEPS})
endfunction()
