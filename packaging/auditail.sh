#!/bin/sh
# Runs the program with the Node.js that came with it, wherever the two were unpacked.
lib=$(dirname "$(readlink -f "$0")")/../lib/auditail
# glibc keeps what the threads freed, each for itself, for later: at rest a third of all resident memory. It reads these
# before the program could set them. What the environment has counts.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX-1}" MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_-262144}"
exec "$lib/node" "$lib/dist/main.js" "$@"
