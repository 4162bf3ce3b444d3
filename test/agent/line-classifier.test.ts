import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineClassifier } from '../../src/agent/line-classifier.ts';
import { EventScanner } from '../../src/event/scanner.ts';

const EVENT = '{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a"}';

/** Classifies a line that stands somewhere inside a buffer; positions come back as those in the line. */
function classify(line: string | Buffer) {
  const before = Buffer.from('{}\n');
  const buffer = Buffer.concat([before, Buffer.from(line), Buffer.from('\n{}')]);
  const scanner = new EventScanner(['auditID']);
  const classifier = new LineClassifier(scanner);
  const kind = classifier.classify(buffer, before.length, before.length + Buffer.byteLength(line));
  const { errorColumn: column, errorReason: reason, eventStart } = classifier;
  return { kind, column, reason, eventStart: eventStart - before.length, auditID: scanner.text(0) };
}

test('an event is one, with its fields', () => {
  const { kind, auditID } = classify(EVENT);
  assert.deepEqual({ kind, auditID }, { kind: 'event', auditID: 'a' });
});

test('white space is blank, anything else that is no event is not', () => {
  for (const line of ['', ' ', '\t \r']) assert.equal(classify(line).kind, 'blank', JSON.stringify(line));
  for (const line of ['\0', '\v', '\u00a0', '-', '[]', 'null']) {
    assert.equal(classify(line).kind, 'unparsable', JSON.stringify(line));
  }
});

test('an unparsable line has the byte at which it stopped being an event, and why', () => {
  const { kind, column, reason } = classify('{"ä": x}');
  assert.deepEqual({ kind, column }, { kind: 'unparsable', column: 8 });
  assert.notEqual(reason, '');
  assert.deepEqual(classify('{"a":1').column, 7);
});

test('a torn line has the error of its fragment and the fields of its event', () => {
  const fragment = '{"kind":"Event","auditID":"lost","stage":"Resp';
  const { kind, column, eventStart, auditID } = classify(fragment + EVENT);
  assert.deepEqual({ kind, auditID, eventStart }, { kind: 'torn', auditID: 'a', eventStart: fragment.length });
  // The fragment's open string ends at the first quote of the event, and what follows it is the fault.
  assert.equal(column, fragment.length + 3);
});
