#!/bin/bash
# A sweep as a Slurm array, without a broker: every task runs its share into one
# folder on the shared file system.
#   sbatch .deploy/slurm.sh spec.yaml runs/x
# A task that was stopped loses nothing: submit it again, or run
# `sapf sweep run spec.yaml -o runs/x` anywhere, which fills what is missing.
#SBATCH --job-name=sapf-sweep
#SBATCH --array=0-63
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@30
set -euo pipefail
spec=${1:?spec.yaml}
folder=${2:?folder of the sweep}
exec sapf sweep run "$spec" -o "$folder" \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --slots "$SLURM_CPUS_PER_TASK"
