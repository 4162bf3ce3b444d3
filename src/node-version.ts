/** The oldest major version of Node.js that the program runs on; `engines` in package.json says the same. */
const OLDEST_NODE = 24;

/**
 * Why this version of Node.js (`20.1.0`) will not do, or undefined when it will. Kept free of imports and of new syntax,
 * because it must load where nothing else does.
 */
export function unsupportedNode(version: string): string | undefined {
  if (majorVersion(version) >= OLDEST_NODE) return undefined;
  return `needs Node.js ${OLDEST_NODE} or newer, and this is ${version}. Start it with npx auditail, which brings its own`;
}

export function majorVersion(version: string): number {
  return Number.parseInt(version, 10);
}
