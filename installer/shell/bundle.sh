# shellcheck shell=bash disable=SC2034,SC2154
# build/bundle and its archive: programs, tests and benchmarks for another machine, which brings LibTorch. Sourced by installer/bootstrap.

bundle_limit=40000000
# What a system with glibc 2.36 (August 2022) has of libstdc++: that of GCC 12 (May 2022).
oldest_glibc=2.36
usual_libstdcxx=3.4.30

# elf_needs FILE: the names of the libraries it asks for.
elf_needs() { LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# newest_symbol PREFIX FILES...: the newest version with this prefix (GLIBC, GLIBCXX) that any of the files needs.
newest_symbol() {
    local prefix=$1
    shift
    LC_ALL=C readelf -V "$@" 2>/dev/null | sed -n "s/.*Name: ${prefix}_\\([0-9][0-9.]*\\) .*/\\1/p" | sort -uV | tail -n 1
}

# Glibc's own, and what comes with LibTorch: its libraries, its libgomp and CUDA's. libstdc++ and libgcc_s are added below where need be.
stays_behind() {
    case $1 in
        ld-linux*|libc.so.*|libm.so.*|libmvec.so.*|libdl.so.*|libpthread.so.*|librt.so.*|libutil.so.*|libresolv.so.*|libanl.so.*|libnsl.so.*) ;;
        libstdc++.so.*|libgcc_s.so.*) ;;
        libtorch*|libc10*|libgomp*|libshm.so*) ;;
        libcuda*|libcudnn*|libcublas*|libcufft*|libcufile*|libcupti*|libcurand*|libcusolver*|libcusparse*|libnv*|libnccl*) ;;
        *) return 1 ;;
    esac
}

# bundle_library NAME FILE WHERE: copies the library that FILE asks for by NAME into the stage, and what that asks for in turn.
bundle_library() {
    local name=$1 from=$2 path
    [ ! -e "$stage/lib/$name" ] || return 0
    path=$(LC_ALL=C ldd "$from" 2>/dev/null | awk -v name="$name" '$1 == name && $2 == "=>" { print $3; exit }')
    [ -f "$path" ] || fail "The bundle cannot be made: ${from##*/} needs $name, which is not found on this machine."
    cp -L "$path" "$stage/lib/$name"
    chmod 755 "$stage/lib/$name"
    bundle_licence "$path"
    bundle_libraries_of "$path"
}

bundle_libraries_of() {
    local name
    while read -r name; do
        stays_behind "$name" || bundle_library "$name" "$1"
    done < <(elf_needs "$1")
}

# The licence text of the Debian package that a file comes from.
bundle_licence() {
    local file=$1 package=""
    command -v dpkg-query >/dev/null || return 0
    # Merged /usr: dpkg knows some files as /lib and others as /usr/lib.
    for file in "$1" "$(readlink -f "$1")" "/usr$1" "${1#/usr}"; do
        package=$(dpkg-query -S "$file" 2>/dev/null | head -n 1 | cut -d: -f1) || true
        [ -z "$package" ] || break
    done
    [ -z "$package" ] || bundle_package_licence "$package"
}

bundle_package_licence() {
    if [ -e "/usr/share/doc/$1/copyright" ]; then cp -L "/usr/share/doc/$1/copyright" "$stage/licenses/$1.txt"; fi
}

# Without symbols, and with no folder of this machine in it.
bundle_program() {
    local path=$1 to=$stage/bin/${1##*/}
    [ -e "$path" ] || fail "The bundle cannot be made: the build left no $path."
    case $to in
        *.so) strip --strip-unneeded -o "$to" "$path" ;;
        *) strip -o "$to" "$path" ;;
    esac || fail "The bundle cannot be made: strip refuses $path."
    # DT_RPATH, as it also serves the libraries in lib/.
    # shellcheck disable=SC2016
    patchelf --force-rpath --set-rpath '$ORIGIN/../lib' "$to" || fail "The bundle cannot be made: patchelf refuses $path."
    chmod 755 "$to"
    bundle_libraries_of "$path"
}

write_version() {
    local commit changes="" glibc
    if commit=$(git -C "$root" rev-parse HEAD 2>/dev/null); then
        [ -z "$(git -C "$root" status --porcelain 2>/dev/null)" ] || changes="-changed"
    else
        commit=unknown
    fi
    glibc=$(newest_symbol GLIBC "$stage"/bin/* "$stage"/lib/*)
    {
        cat "$build_dir/bundle-version.txt"
        printf 'commit %s%s\nbuilt %s\nglibc %s\ntorch 2.11\n' "$commit" "$changes" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${glibc:-$oldest_glibc}"
    } >"$stage/VERSION"
    if [ -n "$glibc" ] && [ "$(printf '%s\n' "$glibc" "$oldest_glibc" | sort -V | tail -n 1)" != "$oldest_glibc" ]; then
        say "This bundle needs glibc $glibc, as this machine's compiler does; one built on Debian 12 runs from $oldest_glibc on."
    fi
}

# libstdc++ is left to the system, whose own other libraries (a driver's, say) may need a newer one than ours, unless ours needs more than is usual.
bundle_libstdcxx() {
    local newest
    newest=$(newest_symbol GLIBCXX "$stage"/bin/* "$stage"/lib/*)
    [ -n "$newest" ] && [ "$(printf '%s\n' "$newest" "$usual_libstdcxx" | sort -V | tail -n 1)" != "$usual_libstdcxx" ] || return 0
    bundle_library libstdc++.so.6 "$stage/bin/mofo"
    bundle_library libgcc_s.so.1 "$stage/bin/mofo"
}

make_bundle() {
    local folder=$build_dir/bundle archive=$build_dir/mofo-workbench-bundle.tar.gz kind seconds path size package largest
    say "Making $folder"
    # on_exit removes it where anything goes wrong.
    stage=$(mktemp -d "$build_dir/.bundle-XXXXXX")
    chmod 755 "$stage"
    mkdir "$stage/bin" "$stage/lib" "$stage/licenses"
    while read -r kind seconds path; do
        bundle_program "$path"
        printf '%s %s %s\n' "$kind" "$seconds" "${path##*/}" >>"$stage/programs.txt"
    done <"$build_dir/bundle-programs.txt"
    bundle_libstdcxx
    # Compiled or linked into the programs.
    for package in libsqlitecpp-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libgtest-dev; do bundle_package_licence "$package"; done
    cp "$here/bundle/run" "$stage/run"
    chmod 755 "$stage/run"
    cp "$root/LICENSE" "$root/NOTICE" "$root/THIRD_PARTY_NOTICES.md" "$stage"
    write_version
    rm -rf "$folder" "$archive"
    mv "$stage" "$folder"
    stage=""

    # gzip and not xz, which small containers lack.
    tar -C "$build_dir" --sort=name --owner=0 --group=0 --numeric-owner --transform 's,^bundle,mofo-workbench-bundle,' -cf - bundle |
        gzip -9n >"$archive.new" || fail "The archive cannot be written: check whether the disk of $build_dir is full."
    size=$(stat -c %s "$archive.new")
    if [ "$size" -gt "$bundle_limit" ]; then
        rm -f "$archive.new"
        largest=$(find "$folder" -type f -printf '%s %P\n' | sort -rn | head -n 5 | awk '{ printf "%s%s (%.1f MB)", comma, $2, $1 / 1e6; comma = ", " }')
        fail "The bundle's archive has $(megabytes "$size"), and $(megabytes $bundle_limit) is the most; its largest files: $largest."
    fi
    mv -f "$archive.new" "$archive"
    say "The bundle is $archive, $(megabytes "$size"): unpack it anywhere and say mofo-workbench-bundle/run --help"
}
