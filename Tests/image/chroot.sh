#!/bin/sh
# Builds the final stage of the Dockerfile without a container engine: a debootstrap chroot with the same packages and files,
# in which a real job runs as root, as the image's own user, and with a read-only root file system. Needs root and debootstrap.
# usage: chroot.sh path/to/static/host [folder]
set -eu
repository=$(cd "$(dirname "$0")/../.." && pwd)
host=${1:?"usage: chroot.sh path/to/static/host [folder]"}
root=${2:-$(mktemp -d)/image}
packages=$(sed -n '/^FROM debian/,$ s/.*--no-install-recommends \(.*\) \\$/\1/p' "$repository/Dockerfile")
[ -n "$packages" ] || { echo "chroot.sh: no package list in the Dockerfile's last stage" >&2; exit 1; }

if [ ! -x "$root/usr/bin/dpkg" ]; then
  mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
  # What the slim images leave out.
  printf 'path-exclude /usr/share/%s/*\n' doc man groff info lintian linda locale > "$root/etc/dpkg/dpkg.cfg.d/docker"
  debootstrap --variant=minbase bookworm "$root" > "$root.log" 2>&1 || { tail "$root.log" >&2; exit 1; }
  chroot "$root" sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages" \
    >> "$root.log" 2>&1 || { tail "$root.log" >&2; exit 1; }
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* "$root"/usr/share/doc/* "$root"/usr/share/man/* \
    "$root"/usr/share/locale/* "$root"/usr/share/info/*
  chroot "$root" useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin host
fi
mkdir -p "$root/opt/host/scripts"
cp -r "$repository"/scripts/*.lua "$repository/scripts/lib" "$root/opt/host/scripts/"
strip -o "$root/usr/local/bin/host" "$host"
missing=$(chroot "$root" ldd /usr/local/bin/host | grep 'not found' || true)
[ -z "$missing" ] || { echo "libraries that the image lacks: $missing" >&2; exit 1; }
du -sm --exclude=proc --exclude=sys --exclude=dev "$root" | awk '{ print "unpacked size: " $1 " MB" }'
du -sm "$root/usr/local/bin/host" | awk '{ print "of these host: " $1 " MB" }'

# A job as a worker starts it: nothing but its own variables, /pfs with input and output, writable /tmp.
job() { # name, user, read-only?
  unshare --mount sh -eu -c '
    root=$1 user=$2 readonly=$3 data=$4
    mkdir -p "$root/pfs"
    mount --bind "$root" "$root"
    mount -t tmpfs tmpfs "$root/pfs"
    mkdir -p "$root/pfs/mnist" "$root/pfs/out"
    cp "$data"/*.gz "$root/pfs/mnist/"
    chmod 777 "$root/pfs/out"
    mount -t tmpfs tmpfs "$root/tmp"; chmod 1777 "$root/tmp"
    mount -t proc proc "$root/proc"
    [ "$readonly" = no ] || mount -o remount,ro,bind "$root"
    env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp PACH_JOB_ID=0123456789abcdef0123456789abcdef PACH_DATUM_ID=d1 PPS_PIPELINE_NAME=train-mnist \
      PPS_PROJECT_NAME=default PACH_OUTPUT_COMMIT_ID=c1 mnist=/pfs/mnist mnist_COMMIT=c0 \
      /usr/sbin/chroot --userspec="$user" "$root" sh -c "cd /opt/host && exec host scripts/train.lua --model linear --epochs 1" > "$root/pfs/log" 2>&1 ||
      { cat "$root/pfs/log"; exit 1; }
    tail -n 1 "$root/pfs/log"
    cd "$root/pfs/out"
    for file in model.safetensors metrics.json run.json report.html predictions.csv offline/*.wandb; do
      [ -s "$file" ] || { echo "no $file in /pfs/out"; exit 1; }
    done
  ' _ "$root" "$2" "$3" "$repository/data/mnist" || { echo "FAILED: $1"; exit 1; }
  echo "passed: $1"
}
job "as root" 0:0 no
job "as the image's own user" 10001:10001 no
job "as the image's own user, read-only root" 10001:10001 yes
