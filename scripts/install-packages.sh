#!/bin/sh
# Installs the Debian packages in $2 when pkg-config does not know one of the modules in $1, or a program in $3 is missing.
# As root it just does it; otherwise it asks before it uses sudo.
set -eu
modules=$1
packages=$2

missing=
command -v pkg-config >/dev/null 2>&1 || missing=pkg-config
for module in $modules; do
    [ -z "$missing" ] || break
    pkg-config --exists "$module" || missing=$module
done
for program in ${3:-}; do
    [ -z "$missing" ] || break
    command -v "$program" >/dev/null 2>&1 || missing=$program
done
# Opened when they are first used (linear algebra, line editing, PNG of figures); nothing links to them, so pkg-config does not know.
if [ "$(uname)" = Linux ]; then
    for library in liblapack.so.3 libreadline.so.8 libcairo.so.2; do
        [ -z "$missing" ] || break
        /sbin/ldconfig -p | grep -qF "$library" || missing=$library
    done
fi
[ -n "$missing" ] || exit 0

if [ "$(uname)" = Darwin ]; then
    echo "'$missing' is missing. With Homebrew: brew install lua curl openssl zlib libyaml libpng jpeg-turbo pkg-config" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "'$missing' is missing; this system has no apt-get. Install the equivalents of: $packages" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    sudo=
elif [ -t 0 ]; then
    sudo=sudo
    printf 'Install %s with sudo apt-get? [Y/n] ' "$packages"
    read -r answer
    case $answer in [nN]*) exit 1 ;; esac
else
    echo "'$missing' is missing. Run: sudo apt-get install $packages" >&2
    exit 1
fi
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $packages
