import fs from 'node:fs';

/** Where the build leaves what it makes of `wasm/`: in `dist`, whether this is run from there or from the sources. */
const DIRECTORY = new URL(import.meta.url.endsWith('.ts') ? '../dist/wasm/' : './wasm/', import.meta.url);

const PAGE_BYTES = 64 * 1024;

const compiled = new Map<string, WebAssembly.Module>();

/** A module of `wasm/` by its name, compiled once. */
export function wasmModule(name: 'scanner' | 'xxh64'): WebAssembly.Module {
  let module = compiled.get(name);
  if (module === undefined) {
    module = new WebAssembly.Module(fs.readFileSync(new URL(`${name}.wasm`, DIRECTORY)));
    compiled.set(name, module);
  }
  return module;
}

/** Lets a module's memory have `bytes` at least, and gives all of it. What was not yet written to takes none of the machine's. */
export function withRoom(memory: WebAssembly.Memory, bytes: number): Buffer {
  const lacking = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (lacking > 0) memory.grow(lacking);
  return Buffer.from(memory.buffer);
}
