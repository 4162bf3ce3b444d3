import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventScanner } from '../../src/event/scanner.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { document, fraction, mutate, mutation, PATHS } from './documents.ts';
import { assertScansAsParsed } from './reference.ts';

/** Runs of each property, each with one to twelve documents. */
const RUNS = 4000;

/** What stands around a document, so that a scan which looks outside its range goes wrong. */
const surroundings = fc.constantFrom('', '}', ']}', '"', '9', '{"a":"', ',"objectRef":{"namespace":"x"}}', 'ull}');

/** Larger than any document here. */
const CHUNK_BYTES = 4 * 1024 * 1024;

const scanner = new EventScanner(PATHS, CHUNK_BYTES);

function check(bytes: Buffer, around: string): void {
  const buf = Buffer.concat([Buffer.from(around), bytes, Buffer.from(around)]);
  assertScansAsParsed(scanner, PATHS, buf, around.length, around.length + bytes.length);
  // At the very end of the chunk, behind which the scanner looks.
  const { buffer } = scanner.chunk;
  const at = buffer.length - buf.length;
  buf.copy(buffer, at);
  assertScansAsParsed(scanner, PATHS, buffer, at + around.length, at + around.length + bytes.length);
  assert.deepEqual(buffer.subarray(at), buf);
}

test('generated documents scan as JSON.parse reads them', () => {
  fc.assert(fc.property(document, surroundings, check), fuzz(RUNS));
});

test('damaged documents scan as JSON.parse reads them', () => {
  const property = fc.property(
    document,
    fc.array(fc.tuple(mutation, fc.boolean()), { minLength: 1, maxLength: 12 }),
    surroundings,
    (bytes, mutations, around) => {
      // Damage adds up, or begins again with the document, so that there are lightly and heavily damaged ones.
      let damaged: Buffer = bytes;
      for (const [step, again] of mutations) {
        damaged = mutate(again ? bytes : damaged, step);
        check(damaged, around);
      }
    },
  );
  fc.assert(property, fuzz(RUNS));
});

test('two documents glued together are no event, as for JSON.parse', () => {
  fc.assert(
    fc.property(document, document, fraction, (first, second, part) => {
      check(Buffer.concat([first.subarray(0, Math.floor(part * first.length)), second]), '');
    }),
    fuzz(RUNS),
  );
});

test('random bytes scan as JSON.parse reads them', () => {
  const jsonish = fc
    .array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '\\', 'u', '0', '1', '-', '.', 'e', 'null', ' '), {
      maxLength: 12,
    })
    .map((parts) => Buffer.from(parts.join('')));
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
  const inObject = fc
    .tuple(
      fc.constantFrom('{"a":', '{"a":"', '{"a":[', '{"'),
      fc.oneof(jsonish, bytes),
      fc.constantFrom('', '}', '"}', ']}', '":0}'),
    )
    .map(([before, middle, after]) => Buffer.concat([Buffer.from(before), middle, Buffer.from(after)]));
  fc.assert(fc.property(fc.oneof(bytes, jsonish, inObject), surroundings, check), fuzz(10 * RUNS));
});
