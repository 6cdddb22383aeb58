# ./dev setup: everything that the build, the demo and the tests need. What is there already is used as it is.
# shellcheck shell=bash disable=SC2154 # deps and stamps are set in common.sh

# Where the wasm sysroot and a newer Node come from: npm packages, pinned.
readonly sysroot_package=@yowasp/clang@22.0.0-git20542-10
readonly sysroot_sha512=577d7fcfd1ab24408a7800930d4caf8369656c4522162ddbc6d2f91d283b1ffeacc9d4b1748fc0a15003f45e68ceb7cb8e8b5697407dae0851f3b9be0d433fce
readonly node_version=20.20.2
# The assembler for text with garbage collection, which wabt does not know; what makes modules of random bytes; and what makes
# our wasm programs smaller.
readonly binaryen_package=binaryen@132.0.0
readonly binaryen_sha512=e14b20ef212fc0edc532ca373a8bfaaa438e1d2a1dd4812ff9ba0a921efb91396333e78d068baa0936ea5acc06cdb1bebc334efdbfefd82e207c48755a007d2e

run_setup() {
  install_packages
  install_node
  install_sysroot
  once binaryen-all unpack_binaryen
  unpack_sources
  note "Set-up complete"
}

# ---------------------------------------------------------------------------------------------- system packages

run_as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "this needs root: $*"
  fi
}

# Prints the packages whose program or file is missing.
missing_packages() {
  have cmake || say cmake
  have ninja || say ninja-build
  have xz || say xz-utils
  have bzip2 || say bzip2
  have make || say make
  have tclsh || say tcl
  have wat2wasm || say wabt
  have clang-format-22 || say clang-format-22
  have clang-tidy-22 || say clang-tidy-22
  local version
  if version=$(clang_version); then :; else
    version=22
    printf '%s\n' clang-22 libstdc++-12-dev libc6-dev
  fi
  have "ld.lld-$version" || say "lld-$version"
  have "llvm-ar-$version" || say "llvm-$version"
  compgen -G "/usr/lib/llvm-$version/lib/clang/*/lib/linux/libclang_rt.asan*" >/dev/null || say "libclang-rt-$version-dev"
  if [[ -z ${WASI_SDK_PREFIX:-} ]]; then
    compgen -G "/usr/lib/llvm-$version/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a" >/dev/null ||
      say "libclang-rt-$version-dev-wasm32"
  fi
  if ! node_is_usable || [[ -z ${WASI_SDK_PREFIX:-} && ! -e $stamps/sysroot || ! -e $stamps/binaryen-all ]]; then
    have npm || say npm
  fi
}

install_packages() {
  local packages
  mapfile -t packages < <(missing_packages | sort -u)
  [[ ${#packages[@]} -eq 0 ]] && return
  note "Installing: ${packages[*]}"
  have apt-get || die "please install with your system's package manager: ${packages[*]}"
  local log=build/packages.log apt
  mkdir -p build
  apt=(run_as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  "${apt[@]}" update >"$log" 2>&1 || { cat "$log" >&2; die "apt-get update failed"; }
  local package unavailable=()
  for package in "${packages[@]}"; do
    apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || unavailable+=("$package")
  done
  if [[ ${#unavailable[@]} -gt 0 ]]; then
    die "this system's package sources do not have: ${unavailable[*]}
     On Debian 12, clang 22 comes with the security updates: the sources must list the suite bookworm-security
     (component main). Another clang from 19 on with its lld, llvm and wasm32 runtime does as well."
  fi
  "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >>"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "apt-get install failed"
  }
}

# ---------------------------------------------------------------------------------------------- Node

node_is_usable() {
  have node && node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)'
}

# npm_pack PACKAGE FOLDER: downloads a package (npm checks its hash) into an empty folder.
npm_pack() {
  rm -rf "$2"
  mkdir -p "$2"
  (cd "$2" && npm pack --silent "$1" >/dev/null) || die "npm could not download $1"
}

install_node() {
  if node_is_usable; then return; fi
  local cpu
  case $(uname -m) in
    x86_64) cpu=x64 ;;
    aarch64) cpu=arm64 ;;
    *) die "please install Node 20 or newer" ;;
  esac
  note "Installing Node $node_version beside the system's"
  npm_pack "node-linux-$cpu@$node_version" "$deps/downloads/node"
  rm -rf "$deps/node"
  mkdir -p "$deps/node"
  tar xf "$deps"/downloads/node/*.tgz -C "$deps/node" --strip-components=1
  rm -rf "$deps/downloads/node"
  PATH=$deps/node/bin:$PATH
  node_is_usable || die "the downloaded Node does not run"
}

# ---------------------------------------------------------------------------------------------- wasm sysroot

install_sysroot() {
  if [[ -n ${WASI_SDK_PREFIX:-} ]]; then
    [[ -x $WASI_SDK_PREFIX/bin/clang ]] || die "WASI_SDK_PREFIX=$WASI_SDK_PREFIX has no bin/clang"
    return
  fi
  once sysroot unpack_sysroot
}

# The C and C++ library for wasm32-wasip1. Only these three folders: the package also has clang's own headers, which
# must come from the clang that compiles.
unpack_sysroot() {
  note "Preparing the wasm sysroot"
  local download=$deps/downloads/sysroot target=$deps/wasi-sysroot
  npm_pack "$sysroot_package" "$download"
  say "$sysroot_sha512  $(echo "$download"/*.tgz)" | sha512sum --quiet --check - || die "wrong hash: $sysroot_package"
  tar xf "$download"/*.tgz -C "$download" package/gen/llvm-resources.tar
  rm -rf "$target"
  mkdir -p "$target"
  tar xf "$download/package/gen/llvm-resources.tar" -C "$target" include/wasm32-wasip1 include/c++ lib/wasm32-wasip1
  rm -rf "$download"
}

# ---------------------------------------------------------------------------------------------- Binaryen

# The package's library and two of its programs, which run in Node: the guests are assembled with wasm-as, tests let wasm-opt
# make modules.
unpack_binaryen() {
  note "Unpacking Binaryen"
  local download=$deps/downloads/binaryen target=$deps/binaryen
  npm_pack "$binaryen_package" "$download"
  say "$binaryen_sha512  $(echo "$download"/*.tgz)" | sha512sum --quiet --check - || die "wrong hash: $binaryen_package"
  rm -rf "$target"
  mkdir -p "$target"
  tar xf "$download"/*.tgz -C "$target" --strip-components=1 package/package.json package/index.js package/bin/package.json \
    package/bin/wasm-as package/bin/wasm-opt
  rm -rf "$download"
}

# ---------------------------------------------------------------------------------------------- sources

# apt-get with lists and cache of its own: it reads the suite that has the pinned versions, and neither needs root nor
# changes what the system installs or upgrades.
private_apt_get() {
  local home=$deps/apt
  local options=(
    -q -o "Dir::Etc::sourcelist=$home/sources.list" -o "Dir::Etc::sourceparts=/dev/null"
    -o "Dir::Etc::preferences=/dev/null" -o "Dir::Etc::preferencesparts=/dev/null"
    -o "Dir::State::lists=$home/lists" -o "Dir::Cache=$home/cache"
    -o "APT::Sandbox::User=root" -o "Acquire::Retries=3" -o "Acquire::Languages=none"
  )
  mkdir -p "$home/lists/partial" "$home/cache/archives/partial"
  apt-get "${options[@]}" "$@"
}

# prepare_private_apt TYPE [SUITE]: TYPE is deb-src or deb. The mirror is the one that this machine uses.
prepare_private_apt() {
  local codename mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed_by=''
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  # shellcheck disable=SC2016 # apt's variables, not the shell's
  mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v codename="$codename" '$1 == codename && $2 == "main" { print $3; exit }')
  [[ -n $mirror ]] || return 1
  if [[ -e $keyring ]]; then signed_by="[signed-by=$keyring] "; fi
  mkdir -p "$deps/apt"
  say "$1 $signed_by$mirror ${2:-trixie} main" >"$deps/apt/sources.list"
  private_apt_get update >/dev/null
}

# Unpacks the sources listed in dev.d/sources.txt to build/deps/src/<name>. Where that is impossible (no apt here), CMake
# downloads the same versions from upstream; the guests' sources have no such second way.
unpack_sources() {
  if ! have apt-get; then
    say "No apt-get here: CMake will download the dependencies from their upstream releases."
    return
  fi
  local name package archive sha256 parts prepared=''
  while read -r name package archive sha256 parts; do
    [[ $name == '#'* || -z $name || -e $stamps/src-$name-${sha256:0:12} ]] && continue
    if [[ -z $prepared ]]; then
      note "Unpacking sources"
      prepare_private_apt deb-src || die "cannot read Debian's source packages through this machine's mirror"
      prepared=yes
    fi
    once "src-$name-${sha256:0:12}" unpack_source "$name" "$package" "$archive" "$sha256" "$parts"
  done <dev.d/sources.txt
}

unpack_source() {
  local name=$1 package=$2 archive=$3 sha256=$4 parts=()
  read -ra parts <<<"$5"
  local download=$deps/downloads/$name target=$deps/src/$name
  say "    $name ($archive)"
  rm -rf "$download" "$target"
  mkdir -p "$download" "$target"
  # A package may have more archives than the wanted one; mirrors have been seen to lack such.
  (cd "$download" && private_apt_get source --download-only --tar-only "$package" </dev/null >/dev/null 2>apt.log) ||
    [[ -e $download/$archive ]] || die "cannot download the source package $package: $(<"$download/apt.log")"
  if [[ -e $download/$archive ]]; then
    say "$sha256  $download/$archive" | sha256sum --quiet --check - || die "wrong hash: $archive"
  else
    # Debian's stable updates replace a version by the next fix release; apt has verified its signature.
    local series newer
    series=$(grep -oE '^[^_]+_[0-9]+\.[0-9]+\.' <<<"$archive")
    newer=$(cd "$download" && compgen -G "$series*.orig.tar.*") ||
      die "the source package $package has neither $archive nor a fix release of it"
    say "    Debian replaced the pinned $archive by $newer: using that"
    archive=$newer
  fi
  tar xf "$download/$archive" -C "$target" --strip-components=1 ${parts[@]+--wildcards "${parts[@]}"}
  rm -rf "$download"
}
