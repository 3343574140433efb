#!/usr/bin/env bash
# The same in a container. mounts.tsv says which folders with audio it sees: the folder here, a
# tab, the folder in the container; where only that one is here, it is taken. Another file of that kind is named with ASRDQ_MOUNTS.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
begin files # the audio is looked for inside, where it has its paths

# A field of --mount, which is CSV: any path can stand in quotes.
field() { printf '"%s=%s"' "$1" "${2//\"/\"\"}"; }

mounts=(
  --mount "type=bind,$(field source "$bundle"),target=/bundle,readonly"
  --mount "type=bind,$(field source "$ASRDQ_RUN_DIR"),target=/run-dir"
)
while IFS=$'\t' read -r here there; do
  if [ ! -d "$here" ] && [ -d "$there" ]; then here=$there; fi
  if [ ! -d "$here" ]; then
    say "error: the folder '$here' of mounts.tsv is not on this machine."
    say "→ name a file with the folders of this one: ASRDQ_MOUNTS=mine.tsv bash $0"
    exit 2
  fi
  mounts+=(--mount "type=bind,$(field source "$here"),$(field target "$there"),readonly")
done <"${ASRDQ_MOUNTS:-$bundle/mounts.tsv}"

script=torchrun.sh
if [ "$ASRDQ_NODES" != 1 ]; then script=multinode.sh; fi
if [ "$ASRDQ_NODES" = 1 ] && [ "$ASRDQ_DEVICES" = 1 ]; then script=local.sh; fi
docker run --rm --gpus all --ipc=host --ulimit memlock=-1 --ulimit stack=67108864 \
  --network=host --env-file "$bundle/environment.env" \
  --env ASRDQ_INSIDE=1 --env ASRDQ_RUN_DIR=/run-dir --env ASRDQ_BUNDLE_ID \
  --env MASTER_ADDR --env MASTER_PORT --env NODE_RANK \
  "${mounts[@]}" "$ASRDQ_IMAGE" bash "/bundle/launch/$script"
