import { AuditailError } from '../errors.ts';
import { compileTagPattern } from '../route/tag-pattern.ts';
import { ANY } from './tag-samples.ts';

export interface MatchChoice {
  readonly match: string;
  /** A tag that the sink gets and should not, or should and does not; undefined when all is as it was. */
  readonly wrong: string | undefined;
}

/**
 * The tag pattern of a sink that takes exactly the `wanted` of some sample tags: the `written` one if it does, else that
 * with as few as possible of the `others` left out, else the tags themselves.
 */
export function chooseMatch(
  written: string | undefined,
  others: readonly string[],
  wanted: ReadonlySet<string>,
  unwanted: ReadonlySet<string>,
): MatchChoice {
  if (written !== undefined) {
    if (firstWrong(written, wanted, unwanted) === undefined) return { match: written, wrong: undefined };
    const useful = others.flatMap((other) => words(other)).filter((word) => helps(word, wanted, unwanted));
    const match = [written, ...minimal(useful, unwanted, written).map((word) => `!${word}`)].join(' ');
    if (firstWrong(match, wanted, unwanted) === undefined) return { match, wrong: undefined };
  }
  const listed = [...new Set([...wanted].map(generalized))];
  const left = [...new Set([...unwanted].map(generalized))].filter((word) => !listed.includes(word));
  const broad = listed.length === 0 ? (written ?? '**') : listed.join(' ');
  if (firstWrong(broad, wanted, unwanted) === undefined) return { match: broad, wrong: undefined };
  const useful = left.filter((word) => helps(word, wanted, unwanted));
  const match = [broad, ...minimal(useful, unwanted, broad).map((word) => `!${word}`)].join(' ');
  return { match, wrong: firstWrong(match, wanted, unwanted) };
}

function firstWrong(pattern: string, wanted: ReadonlySet<string>, unwanted: ReadonlySet<string>): string | undefined {
  const matches = compiled(pattern);
  return [...wanted].find((tag) => !matches(tag)) ?? [...unwanted].find(matches);
}

/** Whether it takes something that is not wanted, and nothing that is. */
function helps(word: string, wanted: ReadonlySet<string>, unwanted: ReadonlySet<string>): boolean {
  const matches = compiled(word);
  return [...unwanted].some(matches) && ![...wanted].some(matches);
}

/** Those that are needed so that `written` takes none of the unwanted. */
function minimal(useful: readonly string[], unwanted: ReadonlySet<string>, written: string): string[] {
  const takes = compiled(written);
  let left = [...unwanted].filter(takes);
  return useful.filter((word) => {
    const matches = compiled(word);
    const before = left.length;
    left = left.filter((tag) => !matches(tag));
    return left.length < before;
  });
}

function compiled(pattern: string): (tag: string) => boolean {
  try {
    return compileTagPattern(pattern);
  } catch (error) {
    if (error instanceof AuditailError) return () => false;
    throw error;
  }
}

function words(pattern: string): string[] {
  return pattern.split(/\s+/).filter((word) => word !== '');
}

function generalized(tag: string): string {
  return tag.replaceAll(ANY, '*');
}
