#!/usr/bin/env bash
# All GPUs that the recipe asks for, on this machine.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
begin all
if [ "$ASRDQ_NODES" != 1 ]; then
  say "error: the recipe is for $ASRDQ_NODES machines. → bash launch/multinode.sh on each of them"
  exit 2
fi
find_trainer
run_trainer "$python" -m torch.distributed.run --standalone \
  --nproc-per-node="$ASRDQ_DEVICES" "${trainer[@]}"
