import process from 'node:process';

/**
 * `node:http`, not imported: an import reads all of its exports, and one of them, `WebSocket`, loads Node's own copy of
 * undici, which is 15 ms of CPU and some megabytes at each start.
 */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');
