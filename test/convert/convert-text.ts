import { parseConfig } from '../../src/config/parse-config.ts';
import type { Config } from '../../src/config/types.ts';
import { type Conversion, convert, type Dialect } from '../../src/convert/convert.ts';
import { AuditailError } from '../../src/errors.ts';
import { Rewriter } from '../../src/route/rewrite.ts';
import { Router } from '../../src/route/router.ts';

export const HOST = 'cp-1';
export const ZONE = 'Europe/Vienna';

/** Converts text, with further files by their names. */
export function convertText(
  text: string,
  further: Readonly<Record<string, string>> = {},
  dialect?: Dialect,
): Conversion {
  return convert(text, {
    file: 'main.conf',
    dialect,
    timeZone: ZONE,
    hostname: HOST,
    files: {
      read(file) {
        const found = further[file];
        if (found === undefined) throw new AuditailError('CONVERT_READ', file);
        return found;
      },
      glob: (pattern) => {
        const regexp = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
        return Object.keys(further)
          .filter((name) => regexp.test(name))
          .sort();
      },
    },
  });
}

/** The configuration as `check` reads it. */
export function configOf({ yaml }: Conversion, env: NodeJS.ProcessEnv = {}): Config {
  return parseConfig(yaml, { file: 'converted.yaml', env });
}

/** `LINE MESSAGE` of each warning. */
export function warningsOf({ warnings }: Conversion): string[] {
  return warnings.map(({ line, message }) => `${line} ${message}`);
}

/** The tag and the sinks of an event of the source `tag`, as the agent finds them. */
export function route(config: Config, tag: string, fields: Readonly<Record<string, string>>): [string, ...string[]] {
  const rewriter = new Rewriter(config.rewrite, config.rewriteMissing);
  const final = rewriter.rewrite(tag, { text: (index) => fields[rewriter.paths[index]!] });
  const router = new Router(config.sinks.map((sink) => ({ match: sink.match, sink: sink.name })));
  return [final, ...router.sinksFor(final)];
}
