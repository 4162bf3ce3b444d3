import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { auditLines } from '../../bench/audit-lines.ts';
import { runProgram } from '../../src/cli/program.ts';
import { criPart, dockerPart } from '../helpers/container-log.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { mutated } from '../helpers/mutations.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-dry-fuzz-'));
after(() => rmSync(directory, { recursive: true }));

const LINES = auditLines(12_000).map(({ bytes }) => bytes.toString());
const LOGS = {
  json: `${LINES.join('\n')}\n\n`,
  cri: LINES.map(
    (text) => criPart({ text: text.slice(0, 300), isPartial: true }) + criPart({ text: text.slice(300) }),
  ).join(''),
  docker: LINES.map((text) => dockerPart({ text })).join(''),
} as const;

const SLOW_MS = 20_000;

interface Report {
  readonly totals: { readonly events: number; readonly bytes: number };
  readonly inputs: readonly { readonly lines: number; readonly bytes: number; readonly error: string | null }[];
}

/** In this process: to start one takes longer than to read thousands of such logs. */
async function dryRun(args: readonly string[]): Promise<{ code: number; report: Report }> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const code = await runProgram(['dry-run', '--json', '--show', '3', ...args], {
    stdin: Readable.from([]),
    stdout: { write: (text) => stdout.push(String(text)) > 0 },
    stderr: { write: (text) => stderr.push(String(text)) > 0 },
    env: {},
  });
  return { code, report: JSON.parse(stdout.join('')) as Report };
}

for (const format of ['json', 'cri', 'docker'] as const) {
  test(`dry-run of any damaged ${format} log, plain or gzip, ends with a report`, async () => {
    const config = path.join(directory, `${format}.yaml`);
    writeFileSync(config, JSON.stringify({ sources: [{ format, max_line_bytes: '64KiB' }] }));
    const plain = path.join(directory, `${format}.log`);
    const seeds = [Buffer.from(LOGS[format]), gzipSync(LOGS[format])];
    const property = fc.asyncProperty(
      mutated(seeds, { tokens: ['\n', '\0\0\0\0', '\x1f\x8b', '{"kind":"Event","apiVersion":"audit.k8s.io/v1"'] }),
      async (bytes) => {
        writeFileSync(plain, bytes);
        const started = performance.now();
        const { code, report } = await dryRun(['-c', config, plain]);
        assert.ok(performance.now() - started < SLOW_MS);
        const [input] = report.inputs;
        assert.equal(code, input!.error === null ? 0 : 1);
        const content = contentOf(bytes);
        if (format !== 'json' || content === undefined || input!.error !== null) return;
        // What stands behind the last newline is a line of its own.
        const all = content.toString('latin1').split('\n');
        if (all.at(-1) === '') all.pop();
        assert.equal(input!.lines, all.length);
      },
    );
    await fc.assert(property, fuzz(100));
  });
}

/** What a log holds; undefined of a gzip part that is not whole. */
function contentOf(bytes: Buffer): Buffer | undefined {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch {
    return undefined;
  }
}
