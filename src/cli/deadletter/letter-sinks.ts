import type { DeadLetterStore, KeptLetter } from '../../checkpoint/dead-letter-store.ts';
import type { Config, HttpSinkConfig, SinkConfig } from '../../config/types.ts';
import { AuditailError } from '../../errors.ts';
import { parsePositive } from './letter-options.ts';

/** Ids that are looked up at once. */
const PAGE = 1000;

export function httpSinks(config: Config): HttpSinkConfig[] {
  const sinks: readonly (SinkConfig | HttpSinkConfig)[] = config.sinks;
  return sinks.filter((sink) => sink.type === 'http');
}

/**
 * Names of the sinks whose letters are meant: `name`, or all that have letters. A sink that the configuration does not
 * name any more is known as long as it has letters.
 *
 * @throws AuditailError `USAGE` when `name` is not known
 */
export function selectSinks(config: Config, store: DeadLetterStore | undefined, name: string | undefined): string[] {
  const withLetters = store?.totals().map(({ sink }) => sink) ?? [];
  if (name === undefined) return withLetters;
  const known = new Set([...httpSinks(config).map((sink) => sink.name), ...withLetters]);
  if (known.has(name)) return [name];
  throw new AuditailError('USAGE', `there is no HTTP sink ${JSON.stringify(name)}`, {
    hint: known.size === 0 ? 'The configuration has none' : `Known are: ${[...known].toSorted().join(', ')}`,
  });
}

/** All ids of a sink's letters that there are now, ascending. */
export function* letterIds(store: DeadLetterStore, sink: string): Generator<number> {
  const newest = store.newestId(sink);
  for (let after = 0; ; ) {
    const ids = store.ids(sink, { after, limit: PAGE });
    for (const id of ids) {
      // What is put aside meanwhile is for the next time; else a busy agent would never let this end.
      if (id > newest) return;
      yield id;
    }
    if (ids.length < PAGE) return;
    after = ids.at(-1)!;
  }
}

/**
 * The letters that were named by their ids, in that order.
 *
 * @throws AuditailError `USAGE` for what is no id, `DEADLETTER_UNKNOWN` for an id that none of these sinks' letters has
 */
export function lettersById(store: DeadLetterStore, ids: readonly string[], sinks: readonly string[]): KeptLetter[] {
  return [...new Set(ids)].map((text) => {
    const letter = store.get(parsedId(text));
    if (letter !== undefined && sinks.includes(letter.sink)) return letter;
    throw new AuditailError('DEADLETTER_UNKNOWN', `there is no dead letter with the id ${text}`, {
      hint: 'Ids are shown by: auditail deadletter list',
    });
  });
}

function parsedId(text: string): number {
  try {
    return parsePositive(text);
  } catch (cause) {
    throw new AuditailError('USAGE', `${JSON.stringify(text)} is no id of a dead letter`, { cause });
  }
}
