import assert from 'node:assert/strict';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Config } from '../../src/config/types.ts';
import type { Validators } from '../../src/config/validators.ts';

/** Strict enough to tell wrong text from right text, and nothing more. */
export const VALIDATORS: Validators = {
  tagPattern: (pattern) => balanced(pattern),
  fieldPath: (path) => assert.match(path, /^[$A-Za-z]/, `bad field path ${path}`),
  regexp: (source) => void new RegExp(source),
  rewriteTag: (template) => balanced(template),
  pathTemplate: (template) => {
    balanced(template);
    const fixed = template.split(/\$\{|%/, 1)[0] as string;
    return { directory: fixed.slice(0, fixed.lastIndexOf('/')), glob: template.replace(/\$\{[^}]*\}|%./g, '*') };
  },
};

function balanced(text: string): void {
  assert.equal(text.split('{').length, text.split('}').length, `unbalanced braces in ${text}`);
}

export function parse(text: string, env: NodeJS.ProcessEnv = {}): Config {
  return parseConfig(text, { file: 'auditail.yaml', env, cores: 8, validators: VALIDATORS });
}

/** The lines that a wrong configuration prints, without the file's name. */
export function errorsOf(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    parse(text, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.replace(/^auditail\.yaml:/, ''));
  }
  return [];
}
