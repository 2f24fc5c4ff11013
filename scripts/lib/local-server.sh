# A local server with a fresh store, for the script that sources this file from the repository's
# root. The server is stopped and its store is deleted when the script exits.
#
# start_local_server sets:
#   url      where the server listens
#   scratch  a folder that is deleted with the store
#   log      what the server prints

command="scripts/$(basename "$0")"
start_seconds=30
profile=dev # as Cargo calls it
server=

fail() { echo "$command: $*" >&2; exit 1; }

start_local_server() {
  command -v cargo >/dev/null || fail "needs cargo (https://rustup.rs)"
  cargo build --quiet --profile "$profile"
  scratch=$(mktemp -d)
  log="$scratch/log"
  trap stop_local_server EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM

  # Not cargo run, which would build everything once more, with the features that this program alone
  # asks of its libraries.
  local folder=$profile
  case $profile in dev) folder=debug ;; bench) folder=release ;; esac
  "${CARGO_TARGET_DIR:-target}/$folder/share-local" \
    --listen 127.0.0.1:0 --data-dir "$scratch/data" >"$log" 2>&1 &
  server=$!

  for ((tenths = 0; tenths < start_seconds * 10; tenths++)); do
    url=$(grep --only-matching --max-count=1 'http://[0-9.]*:[0-9]*' "$log" || true)
    [ -z "$url" ] || return 0
    if ! kill -0 "$server" 2>/dev/null; then
      cat "$log" >&2
      fail "the server did not start"
    fi
    sleep 0.1
  done
  cat "$log" >&2
  fail "the server did not say within $start_seconds seconds where it listens"
}

stop_local_server() {
  local status=$?
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$scratch"
  exit "$status"
}

# Shows the server's last lines, after a failure.
show_server_log() {
  echo "$command: the server's last lines:" >&2
  tail -n 20 "$log" >&2
}
