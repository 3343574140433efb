#!/usr/bin/env bash
# One process on one GPU, here.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
begin all
if [ "$ASRDQ_DEVICES" != 1 ] || [ "$ASRDQ_NODES" != 1 ]; then
  say "error: the recipe is for $ASRDQ_NODES × $ASRDQ_DEVICES GPUs, and on one GPU the effective"
  say "batch would be another one. → bash launch/torchrun.sh, or hand off a recipe for one GPU"
  exit 2
fi
find_trainer
run_trainer "$python" "${trainer[@]}"
