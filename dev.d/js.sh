# ./dev js: the JavaScript package, packed, in build/js/, and the page for browsers in build/page/, to be served as it is.
# shellcheck shell=bash

run_js() {
  run_setup
  build_preset wasi chiwawa-embed snapshot-inspect
  pack_js
}

# The wasm programs must have been built.
pack_js() {
  local program
  note "Packing the JavaScript package, and the page"
  mkdir -p js/wasm
  for program in chiwawa-embed snapshot-inspect; do cp "build/wasi/$program.wasm" js/wasm/; done
  cp LICENSE js/LICENSE
  install_js_modules
  rm -rf build/js build/page
  mkdir -p build/js build/page/wasm
  (cd js && npm pack --silent --pack-destination ../build/js >/dev/null) || die "npm pack failed"
  (cd js && npm run --silent page -- --outdir=../build/page/app) || die "the page cannot be bundled"
  cp js/page/index.html build/page/
  cp js/wasm/*.wasm build/page/wasm/
  say "package: $(echo build/js/*.tgz), page: build/page/"
}

# What js/package-lock.json pins: the WASI shim, the terminal, the bundler, and for tests TypeScript and what drives browsers.
install_js_modules() {
  local wanted
  wanted=$(sha256sum js/package-lock.json | cut -c1-12)
  [[ -e js/node_modules/.chiwawa-$wanted ]] && return
  (cd js && npm ci --ignore-scripts --no-audit --no-fund >../build/npm.log 2>&1) || {
    tail -n 20 build/npm.log >&2
    die "npm cannot install what js/package-lock.json lists"
  }
  : >"js/node_modules/.chiwawa-$wanted"
}
