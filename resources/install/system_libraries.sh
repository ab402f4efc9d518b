#!/bin/sh
# Make sure that the system libraries behind the window are there (Debian and Ubuntu).
# Installs what is missing where it may (root, or sudo without a password), else prints the one command to run.
# Exits 0 when everything is there afterwards or nothing can be checked, 3 when something stays missing.
set -u

[ "$(uname -s)" = Linux ] || exit 0

# library that Qt or OpenCV loads, then the Debian package that holds it
needs="
libEGL.so.1 libegl1
libGL.so.1 libgl1
libglib-2.0.so.0 libglib2.0-0
libdbus-1.so.3 libdbus-1-3
libfontconfig.so.1 libfontconfig1
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-image.so.0 libxcb-image0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-xinerama.so.0 libxcb-xinerama0
"

PATH=$PATH:/sbin:/usr/sbin
known=$(ldconfig -p 2>/dev/null)
missing=
while read -r library package; do
    [ -n "$library" ] || continue
    case "$known" in *"$library"*) ;; *) missing="$missing $package" ;; esac
done <<EOF
$needs
EOF
# The window's tests draw on a virtual screen, and without any font every label is a row of boxes.
command -v Xvfb >/dev/null 2>&1 || missing="$missing xvfb"
[ -n "$(find /usr/share/fonts /usr/local/share/fonts \( -name '*.ttf' -o -name '*.otf' -o -name '*.ttc' \) 2>/dev/null | head -n 1)" ] ||
    missing="$missing fonts-dejavu-core"

[ -n "$missing" ] || exit 0

command="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing system libraries; install your system's packages for:$missing" >&2
    exit 3
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    printf 'Missing system libraries. Run once:\n\n    sudo %s\n\n' "$command" >&2
    exit 3
fi
echo "Installing system libraries:$missing"
log=$(mktemp)
# shellcheck disable=SC2086 # the package list and the sudo prefix are words
if { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive $command; } >"$log" 2>&1; then
    rm -f "$log"
    exit 0
fi
tail -n 5 "$log" >&2
printf 'That did not work (whole log: %s). Run once:\n\n    sudo %s\n\n' "$log" "$command" >&2
exit 3
