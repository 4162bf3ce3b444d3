import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditLines } from '../../bench/audit-lines.ts';
import { Random } from '../../bench/random.ts';
import { EventScanner } from '../../src/event/scanner.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { drawMutation, mutate } from '../helpers/mutations.ts';
import { document, PATHS } from './documents.ts';
import { assertScansAsParsed } from './reference.ts';

/** In all; each is compared with what JSON.parse makes of it. */
const DOCUMENTS = 1_050_000;

/** Damaged ones from one document: to generate one takes as long as to compare a hundred. */
const DAMAGED = 199;

const TOKENS = [
  '{"kind":"Event","apiVersion":"audit.k8s.io/v1"',
  '"objectRef":{"namespace":"x"}',
  '\\ud83d',
  '\\u0000',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\xef\xbb\xbf',
  '1e400',
  '-',
  'nulll',
  '[[[[[[[[',
  '}}}}}}}}',
];

/**
 * Text with some thousands of open brackets that is no JSON makes the JSON.parse of Node 26 spoil its own memory
 * (`test/sink/http/json-body.test.ts`), so it is not asked about such. `scanner.test.ts` has deep nesting.
 */
const MOST_BRACKETS = 500;

const events = auditLines(60_000).map(({ bytes }) => bytes);
const scanner = new EventScanner(PATHS, 1024 * 1024);

function bracketsIn(bytes: Buffer): number {
  let brackets = 0;
  for (const byte of bytes) if (byte === 0x5b || byte === 0x7b) brackets += 1;
  return brackets;
}

/** What fails is told as text that a test can be made of. */
function check(bytes: Buffer, inChunk: boolean): boolean {
  try {
    if (!inChunk) return assertScansAsParsed(scanner, PATHS, bytes);
    const { buffer } = scanner.chunk;
    return assertScansAsParsed(scanner, PATHS, buffer, 0, bytes.copy(buffer));
  } catch (error) {
    throw new Error(`Buffer.from('${bytes.toString('base64')}', 'base64')`, { cause: error });
  }
}

test('a million documents, generated and damaged, scan as JSON.parse reads them', (t) => {
  let count = 0;
  let valid = 0;
  let deep = 0;
  const see = (bytes: Buffer) => {
    count += 1;
    if (bracketsIn(bytes) > MOST_BRACKETS) deep += 1;
    else if (check(bytes, count % 2 === 0)) valid += 1;
  };
  const property = fc.property(document, fc.noBias(fc.integer()), (bytes, seed) => {
    const random = new Random(seed);
    see(bytes);
    // What the apiserver writes is much longer, and takes most of the time.
    const base = random.chance(0.02) ? random.pick(events) : bytes;
    let damaged = base;
    for (let n = 0; n < DAMAGED; n += 1) {
      // Damage adds up, or begins again with the document, so that there are lightly and heavily damaged ones.
      if (random.chance(0.4) || damaged.length === 0 || damaged.length > 4 * base.length + 200) damaged = base;
      damaged = mutate(damaged, drawMutation(random), random.pick(events), TOKENS);
      see(damaged);
    }
  });
  const options = fuzz(DOCUMENTS / (DAMAGED + 1));
  fc.assert(property, options);
  t.diagnostic(`AUDITAIL_FUZZ_SEED=${options.seed}: ${count} documents, ${valid} events, ${deep} too deep`);
  assert.ok(count - deep >= 1_000_000 && valid > count / 50 && deep < count / 50, `${valid} events, ${deep} too deep`);
});
