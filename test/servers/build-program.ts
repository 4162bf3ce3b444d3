import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { endWithParent, removeNow, removeWithParent } from '../helpers/children.ts';
import { type Program, programDirectory } from './programs.ts';

/** Output of `go` that an error quotes, characters from its end. */
const QUOTED = 2000;

/** `unavailable`: the proxy does not give its modules, so nobody here can build it. `late`: the time limit came first. */
export type Built =
  | { readonly state: 'cached' | 'built'; readonly path: string }
  | { readonly state: 'unavailable' | 'late' | 'failed'; readonly reason: string };

interface GoResult {
  readonly ok: boolean;
  readonly late: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Builds a program into the cache, unless it is there.
 *
 * A module of ours is made for it, with the pinned versions and, for a published main package, with that module's own
 * `replace` directives and checksums: `go install` ignores the former, and what they replace does not build together.
 *
 * @param signal ends the build; what `go` has compiled by then it keeps, so that the next one goes on from there.
 */
export async function buildProgram(program: Program, signal: AbortSignal): Promise<Built> {
  const directory = programDirectory(program);
  const path = join(directory, program.name);
  if (existsSync(path)) return { state: 'cached', path };
  mkdirSync(directory, { recursive: true });
  // Beside the executable, so that the rename that publishes it is one within a file system.
  const work = mkdtempSync(join(directory, '.building-'));
  removeWithParent(work);
  try {
    const fetched = await writeModule(program, work, signal);
    if (!fetched.ok) return failure(fetched, 'unavailable');
    const main = 'file' in program.main ? '.' : program.main.package;
    const resolved = await go(['list', '-deps', '-f', '', main], work, signal);
    if (!resolved.ok) return failure(resolved, 'unavailable');
    const executable = join(work, program.name);
    const compiled = await go(['build', '-trimpath', '-ldflags=-s -w', '-o', executable, main], work, signal);
    if (!compiled.ok) return failure(compiled, 'failed');
    renameSync(executable, path);
    return { state: 'built', path };
  } finally {
    removeNow(work);
  }
}

async function writeModule(program: Program, work: string, signal: AbortSignal): Promise<GoResult> {
  const [first] = program.modules;
  const downloaded = await go(['mod', 'download', '-json', first!.join('@')], work, signal);
  // With -json it tells why on stdout.
  if (!downloaded.ok) return { ...downloaded, stderr: downloaded.stdout + downloaded.stderr };
  const { Dir: source } = JSON.parse(downloaded.stdout) as { Dir: string };
  const described = await go(['mod', 'edit', '-json', join(source, 'go.mod')], work, signal);
  if (!described.ok) return described;
  const mod = JSON.parse(described.stdout) as {
    Go: string;
    Replace: { Old: { Path: string; Version?: string }; New: { Path: string; Version?: string } }[] | null;
  };
  const lines = [`module auditail.test/${program.name}`, '', `go ${mod.Go}`, ''];
  for (const [path, version] of program.modules) lines.push(`require ${path} ${version}`);
  for (const { Old, New } of mod.Replace ?? []) {
    // A replacement without a version is a directory of the repository, a module of its own that the zip leaves out.
    const isSibling = New.Version === undefined && New.Path.startsWith('./') && program.siblings !== undefined;
    if (isSibling) lines.push(`replace ${Old.Path} => ${Old.Path} ${program.siblings}`);
    if (New.Version === undefined) continue;
    lines.push(`replace ${Old.Path} ${Old.Version ?? ''} => ${New.Path} ${New.Version}`);
  }
  writeFileSync(join(work, 'go.mod'), `${lines.join('\n')}\n`);
  if (existsSync(join(source, 'go.sum'))) copyFileSync(join(source, 'go.sum'), join(work, 'go.sum'));
  if ('file' in program.main) copyFileSync(program.main.file, join(work, 'main.go'));
  return described;
}

/** Runs `go` in a directory, at the lowest priority. Never downloads another toolchain, never compiles C. */
async function go(args: readonly string[], cwd: string, signal: AbortSignal): Promise<GoResult> {
  const env = {
    ...process.env,
    GOTOOLCHAIN: 'local',
    GOFLAGS: '-mod=mod -buildvcs=false',
    GOWORK: 'off',
    CGO_ENABLED: '0',
  };
  const child = spawn('go', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
  endWithParent(child);
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ok = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      stderr += String(error);
      // An aborted child still has to end, or its directory is removed under it.
      if (child.pid === undefined) resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  return { ok, late: !ok && signal.aborted, stdout, stderr };
}

function failure(result: GoResult, state: 'unavailable' | 'failed'): Built {
  if (result.late) return { state: 'late', reason: 'the time limit for builds was reached' };
  const said = result.stderr
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('go: downloading '))
    .join('\n');
  return { state, reason: said.slice(-QUOTED) };
}
