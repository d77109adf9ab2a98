# The Debian package: `installer/bootstrap package`, or cpack in a build folder that has the engine and the window. Included by the root
# CMakeLists.txt once every target is known.
#
#   /usr/lib/mofo-workbench/           programs, beside each other as they look for each other; the CUDA plug-in where it was built
#   /usr/lib/mofo-workbench/torch/lib  LibTorch for the CPU, and the two small CUDA libraries it asks for even without a GPU
#   /usr/lib/mofo-workbench/sample     the recorded workspace of the first screen, which nobody writes
#   /usr/bin/mofo, mofo-workbench      links to them
# The rest is Debian's, as `depends` says. tests/installer/package_test.cpp compares that with what the programs ask for.

set(_home lib/mofo-workbench)
install(TARGETS mofo mofo-engine mofo-workbench RUNTIME DESTINATION ${_home})
if(TARGET mofo_cuda)
  install(TARGETS mofo_cuda LIBRARY DESTINATION ${_home} RUNTIME DESTINATION ${_home})
endif()
install(DIRECTORY "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/sample" DESTINATION ${_home} FILE_PERMISSIONS OWNER_READ GROUP_READ WORLD_READ)
install(FILES "${MOFO_TORCH_DIR}/lib/libtorch_cpu.so" "${MOFO_TORCH_DIR}/lib/libc10.so" DESTINATION ${_home}/torch/lib)
file(GLOB _gomp "${MOFO_TORCH_DIR}/lib/libgomp*.so*")
install(FILES ${_gomp} DESTINATION ${_home}/torch/lib)
get_filename_component(_wheels "${MOFO_TORCH_DIR}" DIRECTORY)
foreach(_library libcudart.so.13 libcupti.so.13)
  file(GLOB _found "${_wheels}/nvidia/*/lib/${_library}")
  if(_found)
    list(GET _found 0 _found)
    install(FILES "${_found}" DESTINATION ${_home}/nvidia/cu13/lib)
  endif()
endforeach()
# LibTorch's folder of the build is no part of the package: the engine finds the one beside it.
install(CODE "
  foreach(_program mofo-engine libmofo_cuda.so)
    set(_file \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${_home}/\${_program}\")
    if(EXISTS \"\${_file}\")
      execute_process(COMMAND patchelf --force-rpath --set-rpath \"\\\$ORIGIN/torch/lib:\\\$ORIGIN/nvidia/cu13/lib\" \"\${_file}\" COMMAND_ERROR_IS_FATAL ANY)
    endif()
  endforeach()
  file(MAKE_DIRECTORY \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin\")
  foreach(_program mofo mofo-workbench)
    file(CREATE_LINK ../${_home}/\${_program} \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/\${_program}\" SYMBOLIC)
  endforeach()")
install(FILES "${PROJECT_SOURCE_DIR}/installer/package/mofo-workbench.desktop" DESTINATION share/applications)
install(FILES "${PROJECT_SOURCE_DIR}/resources/icons/mofo.svg" DESTINATION share/icons/hicolor/scalable/apps RENAME mofo-workbench.svg)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION share/doc/mofo-workbench RENAME copyright)
install(FILES "${PROJECT_SOURCE_DIR}/THIRD_PARTY_NOTICES.md" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/LICENSES/GPL-3.0-or-later.txt"
        DESTINATION share/doc/mofo-workbench)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME mofo-workbench)
set(CPACK_PACKAGE_VENDOR "MoFO Workbench")
set(CPACK_PACKAGE_CONTACT "The developers of MoFO Workbench <mofo-workbench@localhost>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
# Of xz, five times as slow, the file would be a tenth smaller.
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Fine-tune language models with MoFO and see what they keep
 A window and a command line around an engine that fine-tunes language models on this machine with MoFO, the
 Momentum-Filtered Optimizer, which moves only the coordinates of largest momentum and so forgets less. It shows loss,
 moved parameters and drift per layer while they happen, and keeps every run.")
file(STRINGS "${PROJECT_SOURCE_DIR}/installer/package/depends" _depends REGEX "^[a-z]")
list(JOIN _depends ", " CPACK_DEBIAN_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "fonts-noto-cjk")
include(CPack)
