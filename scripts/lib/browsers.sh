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

# Sets FIREFOX to Debian's, Mozilla's, or the one that the variable names already.
find_firefox() {
  FIREFOX=$(command -v "${FIREFOX:-firefox-esr}" || command -v firefox || true)
  [ -n "$FIREFOX" ] || fail "needs Firefox (apt-get install firefox-esr), or the variable FIREFOX"
}
