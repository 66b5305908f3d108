#!/bin/sh
# Builds the images of this directory into the store: hello:1.0.0, hello:2.0.0, auth:1.0.0, auth:2.0.0, nginx:latest.
#
#   images/build.sh [MARTLET]    the martlet to build with; .build/release/martlet if not given
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
martlet=${1:-$root/.build/release/martlet}
programs=$(cd "$root" && swift build -c release --show-bin-path)

for name in hello auth; do
    (cd "$root" && swift build -c release --product "$name" >&2)
    for version in 1.0.0 2.0.0; do
        "$martlet" image build --quiet -t "$name:$version" --build-arg "VERSION=$version" \
            -f "$root/images/$name/Dockerfile" "$programs"
    done
done
"$martlet" image build --quiet -t nginx:latest "$root/images/nginx"
