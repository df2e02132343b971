#!/usr/bin/env bash
# Train one model in several processes, on one machine or on several. Run it on each machine:
#
#     HEAD=10.0.0.1 MACHINES=2 MACHINE=0 examples/train_on_machines.sh ./pairs    # on the first
#     HEAD=10.0.0.1 MACHINES=2 MACHINE=1 examples/train_on_machines.sh ./pairs    # on the second
#
# All must see the pairs and the run's folder. PROCESSES is that of each machine: its GPUs, or 2.
# What follows the folder goes to `demosaic train`. Only the first process speaks.
set -euo pipefail
gpus=$(python -c 'import torch; print(torch.cuda.device_count() or 2)')
exec python -m torch.distributed.run \
    --nnodes "${MACHINES:-1}" --node-rank "${MACHINE:-0}" \
    --nproc-per-node "${PROCESSES:-$gpus}" \
    --master-addr "${HEAD:-127.0.0.1}" --master-port "${PORT:-29500}" \
    -m -- demosaic train "$@"  # after --, nothing is taken for an option of torchrun
