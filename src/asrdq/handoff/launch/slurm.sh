#!/usr/bin/env bash
#SBATCH --job-name=asrdq-@NAME@
#SBATCH --nodes=@NODES@
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=@DEVICES@
#SBATCH --cpus-per-task=@CPUS@
#SBATCH --time=@TIME@
#SBATCH --signal=TERM@300
# Submit it from within the bundle: cd bundle && sbatch launch/slurm.sh
set -euo pipefail
bundle=${SLURM_SUBMIT_DIR:-$PWD}
if [ ! -f "$bundle/launch/multinode.sh" ]; then
  printf 'error: %s is no bundle. → cd into it, then: sbatch launch/slurm.sh\n' "$bundle" >&2
  exit 2
fi
MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_ADDR ASRDQ_INSIDE=1 # the cluster has its machines back at the end by itself
# shellcheck disable=SC2016 # these are for the shell of each machine
srun --kill-on-bad-exit=1 bash -c 'NODE_RANK=$SLURM_NODEID exec bash "$1/launch/multinode.sh"' \
  multinode "$bundle"
