import type { IssuePath } from './config-error.ts';

const REFERENCE = /\$\$\{|\$\{env:([^}]*)\}?/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface EnvironmentProblem {
  readonly path: IssuePath;
  readonly message: string;
}

/**
 * A copy of `value` in which `${env:NAME}` is replaced in all string values (keys stay), and `$${` by `${`. Every other
 * `${…}` is left for templates. A variable that is unset is a problem, and its reference stays; an empty one is empty.
 */
export function expandEnvironment(
  value: unknown,
  env: NodeJS.ProcessEnv,
): { value: unknown; problems: EnvironmentProblem[] } {
  const problems: EnvironmentProblem[] = [];
  const root = { value: structuredClone(value) };
  // Aliased nodes are shared, and may even hold themselves: each is expanded once, or `$${` would be taken off twice.
  const seen = new Set<object>();
  const visit = (container: Record<string, unknown>, path: IssuePath): void => {
    if (seen.has(container)) return;
    seen.add(container);
    for (const [key, child] of Object.entries(container)) {
      const childPath = [...path, Array.isArray(container) ? Number(key) : key];
      if (typeof child === 'object' && child !== null) visit(child as Record<string, unknown>, childPath);
      if (typeof child === 'string') assign(container, key, expandText(child, env, childPath, problems));
    }
  };
  visit(root, []);
  return { value: root.value, problems: problems.map(({ path, message }) => ({ path: path.slice(1), message })) };
}

function expandText(text: string, env: NodeJS.ProcessEnv, path: IssuePath, problems: EnvironmentProblem[]): string {
  return text.replace(REFERENCE, (reference: string, name: string | undefined) => {
    if (name === undefined) return '${';
    if (!reference.endsWith('}') || !NAME.test(name)) {
      problems.push({ path, message: 'expected ${env:NAME} with letters, digits and _ in NAME' });
      return reference;
    }
    const replacement = Object.hasOwn(env, name) ? env[name] : undefined;
    if (replacement === undefined) {
      problems.push({ path, message: `the environment variable ${name} is not set` });
      return reference;
    }
    return replacement;
  });
}

/** Assigns without the setter that a key named `__proto__` would reach. */
function assign(container: object, key: string, value: string): void {
  Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
}
