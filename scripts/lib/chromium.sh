# For scripts that source this file after they have defined `fail`.

# Sets CHROMIUM to Debian's, Google's, or the one that the variable names already.
find_chromium() {
  local name
  for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
    CHROMIUM=$(command -v "$name" || true)
    [ -z "$CHROMIUM" ] || return 0
  done
  fail "needs Chromium (apt-get install chromium), or the variable CHROMIUM"
}
