import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { archiveFiles } from '../../test/helpers/archive-reader.ts';
import type { Contender } from './contender.ts';
import { findProgram } from './find-program.ts';
import type { Input } from './input-store.ts';

/** What the configuration loads, or needs for zipLevel. */
const MODULES = ['imfile', 'mmjsonparse', 'lmzlibw'];

/**
 * rsyslog on the same job: imfile reads the log, mmjsonparse parses each line, and it goes, as it was read, into a gzip
 * file of its namespace and hour. It keeps no position over a crash, tells of no gap and checks nothing.
 *
 * It has no end of its own: when imfile has read the log to its end, SIGTERM makes it empty its queue, close its files and
 * exit. That is the end of the run; its files are synced after it.
 */
export function rsyslog(level: number, input: Input, threads: number): Contender {
  const program = findProgram('rsyslogd');
  return {
    name: `rsyslog gzip ${level}`,
    missing: program === undefined ? 'rsyslog is not installed' : missingModule(),
    prepare(directory) {
      const config = join(directory, 'rsyslog.conf');
      mkdirSync(join(directory, 'work'));
      mkdirSync(join(directory, 'output'));
      writeFileSync(config, configuration(directory, level, input, threads));
      return {
        command: [program!, '-n', '-C', '-f', config, '-i', join(directory, 'pid')],
        syncDirectory: join(directory, 'output'),
        stopWhen: (pid) => readPosition(pid, input.path) >= input.bytes,
      };
    },
    async check(directory) {
      const output = join(directory, 'output');
      let bytes = 0;
      for (const file of await archiveFiles(output)) bytes += gunzipSync(await readFile(join(output, file))).length;
      if (bytes !== input.bytes) throw new Error(`rsyslog wrote ${bytes} of ${input.bytes} bytes`);
    },
  };
}

/** Large buffers, a large queue, as many workers as cores, all files open at once: slower settings would be no reference. */
function configuration(directory: string, level: number, input: Input, threads: number): string {
  return `global(workDirectory="${directory}/work" maxMessageSize="1m")
module(load="imfile" mode="inotify")
module(load="mmjsonparse")
main_queue(queue.type="FixedArray" queue.size="100000" queue.dequeueBatchSize="1024"
           queue.workerThreads="${threads}" queue.timeoutShutdown="600000")
template(name="line" type="string" string="%msg%\\n")
template(name="file" type="string" string="${directory}/output/audit-%$.ns%.%$!stageTimestamp:1:13%.log.gz")
ruleset(name="audit") {
  action(type="mmjsonparse" cookie="")
  if exists($!objectRef!namespace) then { set $.ns = $!objectRef!namespace; } else { set $.ns = "_none"; }
  action(type="omfile" dynaFile="file" template="line" zipLevel="${level}" veryRobustZip="off" ioBufferSize="256k"
         flushOnTXEnd="off" dynaFileCacheSize="2000")
}
input(type="imfile" File="${input.path}" Tag="audit" ruleset="audit" escapeLF="off")
`;
}

/** Bytes that a process has read of a file: the furthest position of its descriptors of it. */
function readPosition(pid: number, path: string): number {
  let furthest = 0;
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== path) continue;
      const match = /^pos:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'));
      furthest = Math.max(furthest, Number(match?.[1] ?? 0));
    }
  } catch {
    // A descriptor was closed, or the process ended, between two calls: looked at again soon.
  }
  return furthest;
}

/** A minimal installation may lack one. */
function missingModule(): string | undefined {
  const directories = ['/usr/lib/rsyslog', '/usr/lib64/rsyslog', ...debianDirectories()];
  const installed = new Set(directories.flatMap((directory) => namesIn(directory)));
  const lacking = MODULES.filter((module) => !installed.has(`${module}.so`));
  return lacking.length === 0 ? undefined : `rsyslog lacks its module ${lacking.join(', ')}`;
}

function debianDirectories(): string[] {
  return namesIn('/usr/lib')
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => `/usr/lib/${name}/rsyslog`);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
