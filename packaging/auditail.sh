#!/bin/sh
# Runs the program with the Node.js that came with it, wherever the two were unpacked.
lib=$(dirname "$(readlink -f "$0")")/../lib/auditail
exec "$lib/node" "$lib/dist/main.js" "$@"
