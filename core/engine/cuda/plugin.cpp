// libmofo_cuda.so: linked with libtorch_cuda, so that opening it before the first call of ATen registers CUDA with libtorch_cpu. mofo-engine
// opens it only where a GPU was asked for and can be used; all others need none of CUDA's 2.7 GB.

/// Lets whoever opened the library know that it is ours.
extern "C" const char* mofoCudaPlugin() { return "mofo_cuda 1"; }
