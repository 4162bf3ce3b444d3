import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BASE_ENV, copyRoot, makeBase } from './base-images.ts';
import type { BuildContext } from './build-context.ts';
import type { Dockerfile, Stage, Step } from './dockerfile.ts';
import { inRoot, type Mount, makeMountPoint } from './namespaces.ts';

/** Where a step finds what this machine needs to reach the network. Not in the image: it is removed after each step. */
const INPUTS = '/.build-inputs';

const STEP_MS = 5 * 60_000;

export interface BuildOptions {
  readonly context: BuildContext;
  /** An empty directory for the roots of the stages. */
  readonly work: string;
  /** Directory of the package that the Node.js of base images comes from. */
  readonly runtime: string;
  /** Is told each step before it is performed. */
  readonly tell: (step: string) => void;
}

/** What a stage left: its root, and the working directory that a stage on top of it begins in. */
interface Built {
  readonly root: string;
  readonly directory: string;
}

/** Performs the steps of all stages, each in a root of its own. Gives the root of the last one. */
export function buildImage({ stages }: Dockerfile, options: BuildOptions): string {
  const named = new Map<string, Built>();
  let root = '';
  for (const [index, stage] of stages.entries()) {
    root = path.join(options.work, `${index}`);
    const directory = buildStage(stage, root, named, options);
    if (stage.name !== undefined) named.set(stage.name, { root, directory });
  }
  return root;
}

function buildStage(stage: Stage, root: string, named: ReadonlyMap<string, Built>, options: BuildOptions): string {
  options.tell(`FROM ${stage.base}`);
  const before = named.get(stage.base);
  if (before === undefined) makeBase(stage.base, root, options.runtime);
  else copyRoot(before.root, root);
  let directory = before?.directory ?? '/';
  for (const step of stage.steps) {
    switch (step.kind) {
      case 'workdir':
        directory = step.path;
        fs.mkdirSync(path.join(root, directory), { recursive: true });
        break;
      case 'copy':
        copy(step, { root, directory }, named, options);
        break;
      case 'run':
        options.tell(`RUN ${step.script}`);
        run(step, { root, directory });
    }
  }
  return directory;
}

/** A directory's content goes into the target; a file goes into a target that ends with a slash, or becomes it. */
function copy(
  { from, sources, target }: Extract<Step, { kind: 'copy' }>,
  { root, directory }: Built,
  named: ReadonlyMap<string, Built>,
  { context, tell }: BuildOptions,
): void {
  tell(`COPY ${from === undefined ? '' : `--from=${from} `}${[...sources, target].join(' ')}`);
  if (sources.length > 1 && !target.endsWith('/')) throw new Error(`COPY to ${target}: several go into a directory/`);
  const place = path.join(root, path.resolve(directory, target));
  for (const source of sources) {
    const file =
      from === undefined ? context.find(source) : path.join(named.get(from)!.root, path.resolve('/', source));
    const owner = from === undefined ? ['--no-preserve=ownership'] : [];
    if (fs.statSync(file).isDirectory()) {
      fs.mkdirSync(place, { recursive: true });
      execFileSync('cp', ['--archive', ...owner, '--reflink=auto', `${file}/.`, place]);
      continue;
    }
    fs.mkdirSync(target.endsWith('/') ? place : path.dirname(place), { recursive: true });
    execFileSync('cp', ['--archive', ...owner, '--reflink=auto', file, place]);
  }
}

function run({ caches, script }: Extract<Step, { kind: 'run' }>, { root, directory }: Built): void {
  const { mounts, env } = network();
  const all = [...mounts, ...caches.map((target) => ({ source: npmConfig('cache')!, target }))];
  const made = all.filter(({ target }) => !fs.existsSync(path.join(root, target)));
  for (const mount of all) makeMountPoint(root, mount);
  const command = ['sh', '-c', `cd ${directory} && { ${script}\n}`];
  const [program, ...args] = inRoot({ root, mounts: all, readOnly: false, network: 'machine' }, command);
  const { status, stdout, stderr, error } = spawnSync(program!, args, {
    encoding: 'utf8',
    env: { ...BASE_ENV, HOME: '/root', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: STEP_MS,
    killSignal: 'SIGKILL',
  });
  for (const { target } of made) fs.rmSync(path.join(root, target), { recursive: true });
  fs.rmSync(path.join(root, INPUTS), { recursive: true, force: true });
  if (status !== 0) throw new Error(`RUN ${script} failed: ${status} ${error ?? ''}\n${stdout}${stderr}`);
}

/** What npm and apt need to reach their registries as this machine does: names, proxies, an authority, a mirror. */
function network(): { mounts: Mount[]; env: Record<string, string> } {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(https?|no|all)_proxy$/i.test(name)) env[name] = value!;
  }
  const mounts: Mount[] = [{ source: '/etc/resolv.conf', target: '/etc/resolv.conf', readOnly: true }];
  const authority = npmConfig('cafile') ?? process.env.NODE_EXTRA_CA_CERTS;
  if (authority !== undefined) {
    const target = `${INPUTS}/ca.pem`;
    mounts.push({ source: authority, target, readOnly: true });
    env.NPM_CONFIG_CAFILE = target;
  }
  for (const [name, variable] of [
    ['registry', 'NPM_CONFIG_REGISTRY'],
    ['proxy', 'NPM_CONFIG_PROXY'],
    ['https-proxy', 'NPM_CONFIG_HTTPS_PROXY'],
  ] as const) {
    const value = npmConfig(name);
    if (value !== undefined) env[variable] = value;
  }
  return { mounts, env };
}

function npmConfig(key: string): string | undefined {
  const value = execFileSync('npm', ['config', 'get', key], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return ['', 'null', 'undefined'].includes(value.trim()) ? undefined : value.trim();
}
