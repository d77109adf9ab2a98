# shellcheck shell=bash disable=SC2034,SC2154
# Debian packages: only what is missing, by the machine's own apt settings. Sourced by installer/bootstrap.

missing_packages=()
# Archives and installed files.
package_bytes=0

find_missing_packages() {
    local groups=$1 group name version
    local -A installed=()
    missing_packages=()
    if ! command -v dpkg-query >/dev/null; then
        say "There is no dpkg here, so packages are not looked at; these have to be there under this system's own names:"
        awk -v groups=" $groups " '$1 !~ /^#/ && NF && index(groups, " " $1 " ") { printf "%s ", $2 }' "$here/debian-packages.txt" | fold -s -w 110 | sed 's/^/    /'
        printf '\n'
        return 0
    fi
    while read -r group name; do
        [ "$group" != installed ] || installed[$name]=1
    done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null)
    while read -r group name version; do
        case " $groups " in *" $group "*) ;; *) continue ;; esac
        [ -n "${installed[$name]:-}" ] || missing_packages+=("$name")
    done < <(grep -v '^#' "$here/debian-packages.txt")
    [ ${#missing_packages[@]} = 0 ] || estimate_packages
}

# Sizes as apt itself says them, where it knows the packages already.
estimate_packages() {
    local answer archives disk
    # Without package lists: what a bare Debian 12 needs, as measured.
    package_bytes=540000000
    [ "$with_gui" = 0 ] || package_bytes=1500000000
    answer=$(LC_ALL=C apt-get install --no-install-recommends --assume-no "${missing_packages[@]}" 2>/dev/null) || true
    archives=$(apt_bytes "$answer" 's/^Need to get \(.*\) of archives\.$/\1/p')
    disk=$(apt_bytes "$answer" 's/^After this operation, \(.*\) of additional disk space will be used\.$/\1/p')
    [ "$((archives + disk))" = 0 ] || package_bytes=$((archives + disk))
}

# apt_bytes TEXT SED: "12.3 MB", or the first of "12.3 MB/45 MB", as bytes; 0 where the text has no such line.
apt_bytes() {
    printf '%s\n' "$1" | sed -n "$2" | tr -d , | awk '
        { unit = $2; sub("/.*", "", unit); scale = unit == "GB" ? 1e9 : unit == "MB" ? 1e6 : unit == "kB" ? 1e3 : 1; total = $1 * scale }
        END { printf "%.0f", total }'
}

# Root's way: directly, or by sudo, whose question for a password needs a terminal.
root_command=()
become_root() {
    local list
    [ "$(id -u)" != 0 ] || return 0
    list="apt-get install ${missing_packages[*]}"
    command -v sudo >/dev/null || fail "Installing Debian packages needs root, and there is no sudo here: run this as root, or let root run: $list"
    if [ -t 0 ]; then
        sudo -v || fail "Installing Debian packages needs root, and sudo refused: let an administrator run: $list"
    else
        sudo -n true 2>/dev/null || fail "Installing Debian packages needs root, and sudo wants a password but there is no terminal to ask for it: run this in a terminal, or let root run: $list"
    fi
    root_command=(sudo)
}

apt_get() {
    "${root_command[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a LC_ALL=C apt-get -q -o DPkg::Lock::Timeout=300 \
        -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

update_lists() {
    step "reading the package lists" "$log_dir/apt-update.log" apt_get -o APT::Update::Error-Mode=any update ||
        fail "Debian's package lists cannot be fetched; check the network and the sources of apt, then run this again (apt says: $(last_error "$log_dir/apt-update.log"))."
}

install_packages() {
    local log=$log_dir/apt-install.log
    [ ${#missing_packages[@]} != 0 ] || return 0
    command -v apt-get >/dev/null || fail "There is no apt-get here: install these by your own means: ${missing_packages[*]}"
    become_root
    if ! apt_get --simulate --no-install-recommends install "${missing_packages[@]}" >"$log" 2>&1; then
        update_lists
        apt_get --simulate --no-install-recommends install "${missing_packages[@]}" >"$log" 2>&1 ||
            fail "apt cannot install what is needed: $(last_error "$log") The packages: ${missing_packages[*]}"
        estimate_packages
        check_space
    fi
    say "Installing ${#missing_packages[@]} Debian packages and what they need ($(megabytes "$package_bytes") with the archives): ${missing_packages[*]}"
    if ! step "installing packages" "$log" apt_get -y --no-install-recommends install "${missing_packages[@]}"; then
        # Lists that are older than the archive name files that are gone.
        update_lists
        step "installing packages" "$log" apt_get -y --no-install-recommends install "${missing_packages[@]}" ||
            fail "Debian packages could not be installed (apt says: $(last_error "$log")); the whole of it is in $log."
    fi
}
