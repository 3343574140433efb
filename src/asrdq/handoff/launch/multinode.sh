#!/usr/bin/env bash
# One of several machines; run it on each of them, with
#   MASTER_ADDR   the first machine, as the others reach it
#   NODE_RANK     0 on the first, then 1, 2, …
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
begin all
if [ -z "${MASTER_ADDR:-}" ] || [ -z "${NODE_RANK:-}" ]; then
  say "error: MASTER_ADDR and NODE_RANK have to be set. → MASTER_ADDR=10.0.0.1 NODE_RANK=0 bash $0"
  exit 2
fi
find_trainer
run_trainer "$python" -m torch.distributed.run --nnodes="$ASRDQ_NODES" --node-rank="$NODE_RANK" \
  --nproc-per-node="$ASRDQ_DEVICES" --master-addr="$MASTER_ADDR" \
  --master-port="${MASTER_PORT:-29500}" "${trainer[@]}"
