# LibTorch as imported targets, made from the files of the PyPI wheel: MOFO_TORCH_DIR is the folder that holds include/ and lib/.
#
# find_package(Torch) of the wheel fails where no CUDA toolkit is, and where one is appends every architecture, sm_50 included.
# Linking libtorch.so would load the 2.7 GB of libtorch_cuda with it, so only libtorch_cpu and libc10 are named here.
#
#   mofo_torch::cpu      ATen, autograd, torch/torch.h; libtorch_cpu.so and libc10.so
#   mofo_torch::cuda     the above with libtorch_cuda.so and libc10_cuda.so, for libmofo_cuda.so alone; missing where the wheel has no CUDA
#   mofo_torch::openmp   OpenMP for own code: the compiler's -fopenmp, but LibTorch's own libgomp, so that one thread pool exists
#   LibTorch_VERSION     "2.11.0"
#   LibTorch_LIBRARY_FOLDERS  what a program's run path needs, in order
#
# Without MOFO_TORCH_DIR the cache of installer/bootstrap is looked at.

set(_torch_dir "${MOFO_TORCH_DIR}")
if(NOT _torch_dir)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(_torch_cache "$ENV{XDG_CACHE_HOME}")
  else()
    set(_torch_cache "$ENV{HOME}/.cache")
  endif()
  set(_torch_dir "${_torch_cache}/mofo/libtorch-2.11.0/torch")
endif()
get_filename_component(_torch_dir "${_torch_dir}" ABSOLUTE)

set(LibTorch_INCLUDE_DIR "${_torch_dir}/include")
foreach(_lib torch_cpu c10)
  set(LibTorch_${_lib}_LIBRARY "LibTorch_${_lib}_LIBRARY-NOTFOUND")
  if(EXISTS "${_torch_dir}/lib/lib${_lib}.so")
    set(LibTorch_${_lib}_LIBRARY "${_torch_dir}/lib/lib${_lib}.so")
  endif()
endforeach()

set(LibTorch_VERSION "")
foreach(_candidate torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  set(_candidate "${LibTorch_INCLUDE_DIR}/${_candidate}")
  if(NOT LibTorch_VERSION AND EXISTS "${_candidate}")
    file(STRINGS "${_candidate}" _torch_lines REGEX "^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    string(REGEX REPLACE "#define TORCH_VERSION_[A-Z]+ ([0-9]+)" "\\1" _torch_lines "${_torch_lines}")
    list(JOIN _torch_lines "." LibTorch_VERSION)
  endif()
endforeach()

# The wheel keeps the CUDA runtime and CUPTI, which libtorch_cpu needs even without a GPU, in its sibling folder nvidia/.
set(LibTorch_LIBRARY_FOLDERS "${_torch_dir}/lib")
get_filename_component(_torch_parent "${_torch_dir}" DIRECTORY)
foreach(_folder nvidia/cu13/lib nvidia/cuda_runtime/lib nvidia/cuda_cupti/lib)
  if(IS_DIRECTORY "${_torch_parent}/${_folder}")
    list(APPEND LibTorch_LIBRARY_FOLDERS "${_torch_parent}/${_folder}")
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_torch_cpu_LIBRARY LibTorch_c10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "There is no LibTorch in ${_torch_dir}: run installer/bootstrap build, or set MOFO_TORCH_DIR to the folder with include/ and lib/")

if(LibTorch_FOUND AND NOT TARGET mofo_torch::cpu)
  add_library(mofo_torch::c10 SHARED IMPORTED)
  set_target_properties(mofo_torch::c10 PROPERTIES IMPORTED_LOCATION "${LibTorch_c10_LIBRARY}")
  add_library(mofo_torch::torch_cpu SHARED IMPORTED)
  set_target_properties(mofo_torch::torch_cpu PROPERTIES IMPORTED_LOCATION "${LibTorch_torch_cpu_LIBRARY}")

  # -idirafter and not -isystem: the wheel ships its own fmt, which would otherwise be compiled against Debian's libfmt.
  # Of the headers that <ATen/ATen.h> and <torch/torch.h> reach, none includes fmt.
  add_library(mofo_torch::cpu INTERFACE IMPORTED)
  target_compile_options(mofo_torch::cpu INTERFACE
    "SHELL:-idirafter ${LibTorch_INCLUDE_DIR}" "SHELL:-idirafter ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include")
  target_link_libraries(mofo_torch::cpu INTERFACE mofo_torch::torch_cpu mofo_torch::c10)
  # DT_RPATH, not DT_RUNPATH: only the former also serves libtorch_cpu's own search for libcudart and libcupti.
  target_link_options(mofo_torch::cpu INTERFACE -Wl,--disable-new-dtags)
  foreach(_folder ${LibTorch_LIBRARY_FOLDERS})
    target_link_options(mofo_torch::cpu INTERFACE "-Wl,-rpath,${_folder}")
  endforeach()

  if(EXISTS "${_torch_dir}/lib/libtorch_cuda.so" AND EXISTS "${_torch_dir}/lib/libc10_cuda.so")
    add_library(mofo_torch::cuda INTERFACE IMPORTED)
    # No symbol of libtorch_cuda may be used directly: what counts is that loading it registers CUDA with libtorch_cpu.
    target_link_libraries(mofo_torch::cuda INTERFACE mofo_torch::cpu
      -Wl,--push-state,--no-as-needed "${_torch_dir}/lib/libtorch_cuda.so" "${_torch_dir}/lib/libc10_cuda.so" -Wl,--pop-state)
  endif()

  add_library(mofo_torch::openmp INTERFACE IMPORTED)
  target_compile_options(mofo_torch::openmp INTERFACE -fopenmp)
  file(GLOB _torch_gomp "${_torch_dir}/lib/libgomp*.so*")
  if(_torch_gomp)
    list(GET _torch_gomp 0 _torch_gomp)
    target_link_libraries(mofo_torch::openmp INTERFACE "${_torch_gomp}")
  else()
    target_link_libraries(mofo_torch::openmp INTERFACE gomp)
  endif()
endif()
