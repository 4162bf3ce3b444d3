import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import type { AgentStatus } from '../src/admin/agent-status.ts';
import type { LogModel, Part } from './log-model.ts';

const PATIENCE_MS = 400;

/** What the agent answers at `/status`, as `auditail status --json` prints it; undefined where it does not in time. */
export async function askStatus(socket: string, patienceMs = PATIENCE_MS): Promise<AgentStatus | undefined> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath: socket, path: '/status', timeout: patienceMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve(undefined));
      response.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString()) as AgentStatus);
        } catch {
          resolve(undefined);
        }
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    setTimeout(() => request.destroy(), patienceMs).unref();
  });
}

/**
 * Notes what the agent says it has seen: bytes of these files that are gone later without having been archived must be
 * told as a gap. Files are told by the time of their first event; of copies, which have the same, both are meant.
 */
export function noteSeen(model: LogModel, status: AgentStatus, life: number): void {
  const byTime = new Map<number, Part[]>();
  for (const part of model.parts) {
    if (part.firstTime !== undefined) byTime.set(part.firstTime, [...(byTime.get(part.firstTime) ?? []), part]);
  }
  for (const segment of status.sources.flatMap(({ streams }) => streams.flatMap(({ segments }) => segments))) {
    if (segment.first_event === null || segment.read === 0) continue;
    for (const part of byTime.get(Date.parse(segment.first_event)) ?? []) {
      part.seenSize = Math.max(part.seenSize, segment.size);
      part.seenInLife = life;
      // Of a file and its copy it holds open only the one that it names.
      if (!segment.path.endsWith('.gz') && part.paths.has(segment.path)) part.heldInLife = life;
    }
  }
}

/** One look at what a process uses. */
export interface Usage {
  readonly pid: number;
  readonly atMs: number;
  readonly descriptors: number;
  /** Of these: files of the log and the archive. */
  readonly files: number;
  /** Descriptors that the agent's own status explains. */
  readonly explained: number;
  readonly residentBytes: number;
  /** Nothing was left to be read, delivered, stored or mended. */
  readonly isQuiet: boolean;
}

/** What a process uses; undefined when it is gone. @param directories of the log and the archive. */
export function usageOf(pid: number, status: AgentStatus, directories: readonly string[]): Usage | undefined {
  try {
    const open = openFiles(pid);
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // A process that is about to be gone has no memory any more.
    if (kib === undefined) return undefined;
    const segments = status.sources.reduce((sum, { open_files }) => sum + open_files, 0);
    const archives = status.sinks.reduce((sum, sink) => sum + (sink.type === 'file' ? sink.open_files : 0), 0);
    return {
      ...{ pid, atMs: performance.now(), descriptors: open.length, explained: segments + archives },
      files: open.filter((path) => directories.some((directory) => path.startsWith(`${directory}/`))).length,
      residentBytes: Number(kib) * 1024,
      isQuiet: isQuiet(status),
    };
  } catch {
    return undefined;
  }
}

/** What each descriptor of a process leads to. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}

/** Whether an agent that says this has come to rest. */
export function isQuiet({ phase, unready, commits, sources, sinks, memory }: AgentStatus): boolean {
  // Before its first sweep it knows of no file, and so of nothing that is left to be read.
  if (unready.includes('the agent is starting')) return false;
  if (phase !== 'running' || commits.failures_in_a_row > 0 || memory.archive_bytes_in_flight > 0) return false;
  if (!sources.every(({ lag }) => lag.every(({ bytes }) => bytes === 0))) return false;
  return sinks.every((sink) => sink.type === 'file' || (sink.queue_bytes === 0 && sink.spool.events === 0));
}
