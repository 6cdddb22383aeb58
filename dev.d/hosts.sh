# ./dev hosts [name...]: runtimes that run WebAssembly, for `./dev bench` and for tests of moving between them: bun deno
# wazero wasmedge (default: all), into build/deps/hosts/. What is on the path already is used as it is. And `browsers`: Chromium
# and Firefox from the system's packages, for tests of the page.
# shellcheck shell=bash disable=SC2154 # deps and stamps are set in common.sh

# npm packages, pinned; the newest Debian has the others, in one version only.
readonly bun_version=1.4.5 deno_version=2.9.6

run_hosts() {
  local name
  [[ $# -gt 0 ]] || set -- bun deno wazero wasmedge
  install_node
  mkdir -p "$deps/hosts/bin"
  for name in "$@"; do
    declare -F "install_$name" >/dev/null || die "no host $name: bun deno wazero wasmedge browsers"
    if [[ $name == browsers ]]; then
      install_browsers
      continue
    fi
    if [[ ! -e $deps/hosts/bin/$name ]] && have "$name"; then
      say "$name: $(command -v "$name")"
    else
      once "host-$name" "install_$name"
      say "$name: $deps/hosts/bin/$name"
    fi
  done
}

# fresh_host NAME: an empty folder for it, build/deps/hosts/NAME.
fresh_host() {
  note "Installing $1"
  rm -rf "$deps/hosts/$1"
  mkdir -p "$deps/hosts/$1"
}

# host_from_npm NAME PACKAGE PROGRAM
host_from_npm() {
  fresh_host "$1"
  npm_pack "$2" "$deps/downloads/$1"
  tar xf "$deps/downloads/$1"/*.tgz -C "$deps/hosts/$1" --strip-components=1
  rm -rf "$deps/downloads/$1"
  chmod +x "$deps/hosts/$1/$3"
  ln -sf "../$1/$3" "$deps/hosts/bin/$1"
}

install_bun() {
  local cpu
  case $(uname -m) in
    x86_64) cpu=x64 ;;
    aarch64) cpu=aarch64 ;;
    *) die "there is no Bun for $(uname -m)" ;;
  esac
  host_from_npm bun "@oven/bun-linux-$cpu@$bun_version" bin/bun
}

install_deno() {
  local cpu
  case $(uname -m) in
    x86_64) cpu=x64 ;;
    aarch64) cpu=arm64 ;;
    *) die "there is no Deno for $(uname -m)" ;;
  esac
  host_from_npm deno "@deno/linux-$cpu-glibc@$deno_version" deno
}

install_wazero() {
  prepare_debian_hosts
  host_from_debian wazero
  ln -sf ../wazero/usr/bin/wazero "$deps/hosts/bin/wazero"
}

# Its libraries come with it, the C library and its loader included: this system's may be too old.
install_wasmedge() {
  local packages root=$deps/hosts/wasmedge loader libraries
  prepare_debian_hosts
  mapfile -t packages < <(private_apt_get install --simulate --no-install-recommends -o Dir::State::status=/dev/null wasmedge |
    awk '$1 == "Inst" { print $2 }')
  host_from_debian wasmedge "${packages[@]}"
  loader=$(find "$root" -name 'ld-linux*.so.*' -not -type d | head -n 1)
  libraries=$(dirname "$(find "$root" -name 'libwasmedge.so.*' | head -n 1)")
  [[ -n $loader ]] || die "the packages of wasmedge have no loader"
  # Relative to itself, so that the folder can be moved.
  cat >"$deps/hosts/bin/wasmedge" <<END
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/../wasmedge
exec "\$root${loader#"$root"}" --library-path "\$root${libraries#"$root"}:\$root$(dirname "${loader#"$root"}")" "\$root/usr/bin/wasmedge" "\$@"
END
  chmod +x "$deps/hosts/bin/wasmedge"
}

install_browsers() {
  local missing=()
  have chromium || have google-chrome || missing+=(chromium)
  have firefox-esr || have firefox || missing+=(firefox-esr)
  [[ ${#missing[@]} -eq 0 ]] && return
  have apt-get || die "please install with your system's package manager: ${missing[*]}"
  note "Installing: ${missing[*]}"
  run_as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}" >build/browsers.log 2>&1 || {
    tail -n 20 build/browsers.log >&2
    die "apt-get install failed"
  }
}

prepare_debian_hosts() {
  if ! have apt-get || ! have dpkg-deb; then die "this host comes from Debian's packages: without apt, install it on the path"; fi
  prepare_private_apt deb sid || die "cannot read Debian's packages through this machine's mirror"
}

# host_from_debian NAME [PACKAGE...]: unpacks Debian's packages, by default the one of that name.
host_from_debian() {
  local name=$1 download=$deps/downloads/$1 package
  shift
  [[ $# -gt 0 ]] || set -- "$name"
  fresh_host "$name"
  rm -rf "$download"
  mkdir -p "$download"
  (cd "$download" && private_apt_get download "$@" >/dev/null 2>&1) || die "cannot download $name"
  for package in "$download"/*.deb; do dpkg-deb -x "$package" "$deps/hosts/$name"; done
  rm -rf "$download"
}
