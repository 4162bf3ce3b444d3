import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { SpoolPlace } from '../../../../src/checkpoint/spool-records.ts';
import type { HttpSinkConfig } from '../../../../src/config/types.ts';
import type { FileIo } from '../../../../src/sink/file-io.ts';
import type { HttpEvent } from '../../../../src/sink/http/http-event.ts';
import { Spool } from '../../../../src/sink/http/spool/spool.ts';

import { HttpOccurrences } from '../../../../src/telemetry/http-occurrences.ts';
import { Telemetry } from '../../../../src/telemetry/telemetry.ts';

export const SINK = 'es';

/** A state directory with one spool in it, and what the agent would remember of it. */
export class SpoolWorld implements Disposable {
  readonly stateDir: string;
  /** What the database says is acknowledged. */
  place: SpoolPlace | undefined;
  config: HttpSinkConfig['spool'] = { afterMs: 2000, maxBytes: 1024 * 1024, overflow: 'block' };
  /** Each damage, cut and drop that was told, as text. */
  readonly told: string[] = [];
  #opened: Spool | undefined;

  constructor(t?: TestContext, parent = os.tmpdir()) {
    this.stateDir = mkdtempSync(path.join(parent, 'auditail-spool-'));
    t?.after(() => this[Symbol.dispose]());
  }

  get directory(): string {
    return path.join(this.stateDir, 'spool', SINK);
  }

  get files(): string[] {
    return readdirSync(this.directory).toSorted();
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  async open(io?: FileIo, durability: 'disk' | 'process' = 'process'): Promise<Spool> {
    const occurrences = new ToldOccurrences(this.told);
    this.#opened = await Spool.open({
      stateDir: this.stateDir,
      sink: SINK,
      config: this.config,
      records: { acknowledged: () => this.place },
      occurrences,
      durability,
      ...(io === undefined ? {} : { io }),
    });
    return this.#opened;
  }

  /** As the agent does with its commit. */
  async commit(spool: Spool): Promise<void> {
    const place = spool.place;
    if (place === undefined) return;
    this.place = place;
    await spool.committed(place);
  }

  [Symbol.dispose](): void {
    void this.#opened?.close().catch(() => undefined);
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

export function quietOccurrences(): HttpOccurrences {
  return new ToldOccurrences([]);
}

class ToldOccurrences extends HttpOccurrences {
  readonly #told: string[];

  constructor(told: string[]) {
    super(new Telemetry(pino({ level: 'silent' })), SINK);
    this.#told = told;
  }

  override spoolDamaged(file: string, reason: string): void {
    this.#told.push(`damaged ${path.basename(file)}: ${reason}`);
  }

  override spoolTailCut(file: string, bytes: number): void {
    this.#told.push(`cut ${path.basename(file)}: ${bytes}`);
  }

  override spoolDropped(events: number): void {
    this.#told.push(`dropped ${events}`);
  }

  override spoolFailed(error: unknown): void {
    this.#told.push(`failed: ${error}`);
  }
}

/** Event number `n`, with a line of about `bytes` bytes. */
export function event(n: number, bytes = 40): HttpEvent {
  const line = JSON.stringify({ n, text: 'x'.repeat(Math.max(0, bytes - 20)) });
  return {
    tag: `audit.täg-${n % 3}`,
    time: 1_700_000_000_000 + n,
    line: Buffer.from(line),
    source: 'apiserver',
    path: '/var/log/kubernetes/audit/audit.log',
    offset: n * 1000,
  };
}

export function events(from: number, to: number, bytes?: number): HttpEvent[] {
  return Array.from({ length: to - from }, (_, index) => event(from + index, bytes));
}

export function numberOf(one: HttpEvent): number {
  return (JSON.parse(one.line.toString()) as { n: number }).n;
}

/** Reads everything that is there to be read; acknowledges it if asked to. */
export async function drain(spool: Spool, acknowledge = false): Promise<number[]> {
  const numbers: number[] = [];
  for (;;) {
    const batch = await spool.read({ events: 7, bytes: 10_000 });
    if (batch === undefined) return numbers;
    numbers.push(...batch.events.map(numberOf));
    if (acknowledge) spool.acknowledge(batch.receipt);
  }
}
