/** An instruction that changes the root of a stage. */
export type Step =
  | { readonly kind: 'workdir'; readonly path: string }
  | { readonly kind: 'run'; readonly caches: readonly string[]; readonly script: string }
  | { readonly kind: 'copy'; readonly from?: string; readonly sources: readonly string[]; readonly target: string };

export interface Stage {
  /** The image that FROM names, or the name of a stage before. */
  readonly base: string;
  readonly name?: string;
  readonly steps: Step[];
}

/** What an engine needs to know to run the image that the last stage is. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: { readonly command: readonly string[]; readonly options: Readonly<Record<string, string>> };
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string;
  readonly user: string;
}

export interface Dockerfile {
  readonly stages: readonly Stage[];
  readonly config: ImageConfig;
}

/** Instructions that say how the image is run. Here each is given once, in the last stage. */
const CONFIG = ['ENTRYPOINT', 'CMD', 'HEALTHCHECK', 'LABEL', 'STOPSIGNAL', 'USER'] as const;

const HEALTHCHECK = /^((?:--[a-z-]+=\S+\s+)+)CMD\s+(\[.*\])$/;
const LABELS = /^(?:[a-z0-9.]+="[^"\\$]*"\s*)+$/;

/**
 * Reads the Dockerfile. Knows the instructions and forms that ours is made of, and refuses all others, so that none is
 * passed over in the test of an image.
 *
 * @throws Error that names the line
 */
export function readDockerfile(text: string): Dockerfile {
  const stages: Stage[] = [];
  const given = new Map<string, string>();
  for (const { line, keyword, rest } of instructions(text)) {
    const refuse = (why: string) => new Error(`Dockerfile:${line}: ${keyword} ${rest}: ${why}`);
    if (keyword === 'FROM') {
      if (given.size > 0) throw refuse(`only the last stage may have ${[...given.keys()].join(', ')}`);
      const [, base, name] = /^([a-z0-9:./-]+)(?: AS ([a-z]+))?$/.exec(rest) ?? [];
      if (base === undefined) throw refuse('not of the form IMAGE or IMAGE AS NAME');
      stages.push({ base, ...(name === undefined ? {} : { name }), steps: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw refuse('stands before the first FROM');
    if (CONFIG.some((name) => name === keyword)) {
      if (given.has(keyword)) throw refuse('stands twice');
      given.set(keyword, rest);
      continue;
    }
    const step = readStep(keyword, rest);
    if (typeof step === 'string') throw refuse(step);
    if (step.kind === 'copy' && step.from !== undefined && !stages.some(({ name }) => name === step.from)) {
      throw refuse('copies from a stage that does not exist');
    }
    stage.steps.push(step);
  }
  const missing = CONFIG.filter((name) => !given.has(name));
  if (missing.length > 0) throw new Error(`Dockerfile: has no ${missing.join(', ')}`);
  return { stages, config: readConfig(given) };
}

/** The step, or why it is not understood. */
function readStep(keyword: string, rest: string): Step | string {
  switch (keyword) {
    case 'WORKDIR':
      return /^\/[\w/-]*$/.test(rest) ? { kind: 'workdir', path: rest } : 'not an absolute path';
    case 'RUN': {
      const caches: string[] = [];
      const script = rest.replace(/^(?:--mount=type=cache,target=(\/[\w./-]+)\s+)/, (_, target: string) => {
        caches.push(target);
        return '';
      });
      if (/^(--|\[|<<)/.test(script)) return 'only the shell form, with one cache mount, is known';
      return { kind: 'run', caches, script };
    }
    case 'COPY': {
      const [, from, places] = /^(?:--from=([a-z]+)\s+)?([^-["<].*)$/.exec(rest) ?? [];
      const words = places?.split(/\s+/) ?? [];
      if (words.length < 2 || /[*?$\\"]/.test(rest)) return 'only plain paths, with --from=STAGE at most, are known';
      const sources = words.slice(0, -1);
      return { kind: 'copy', ...(from === undefined ? {} : { from }), sources, target: words.at(-1)! };
    }
    default:
      return 'this instruction is not known';
  }
}

function readConfig(given: ReadonlyMap<string, string>): ImageConfig {
  const health = HEALTHCHECK.exec(given.get('HEALTHCHECK')!);
  if (health === null) throw new Error('Dockerfile: HEALTHCHECK is not of the form --OPTION=VALUE … CMD ["…"]');
  const labels = given.get('LABEL')!;
  if (!LABELS.test(labels)) throw new Error('Dockerfile: LABEL is not of the form name="value" …');
  const options = [...health[1]!.matchAll(/--([a-z-]+)=(\S+)/g)].map(([, name, value]) => [name!, value!] as const);
  return {
    entrypoint: execForm('ENTRYPOINT', given.get('ENTRYPOINT')!),
    cmd: execForm('CMD', given.get('CMD')!),
    healthcheck: { command: execForm('HEALTHCHECK', health[2]!), options: Object.fromEntries(options) },
    labels: Object.fromEntries([...labels.matchAll(/([a-z0-9.]+)="([^"]*)"/g)].map(([, key, text]) => [key!, text!])),
    stopSignal: given.get('STOPSIGNAL')!,
    user: given.get('USER')!,
  };
}

/** The shell form is refused: with it a shell would be process 1, and pass no signal on. */
function execForm(keyword: string, text: string): string[] {
  const words: unknown = text.startsWith('[') ? JSON.parse(text) : undefined;
  if (!Array.isArray(words) || words.length === 0 || !words.every((word) => typeof word === 'string')) {
    throw new Error(`Dockerfile: ${keyword} is not of the form ["…"]`);
  }
  return words;
}

/** Lines that end in a backslash go on in the next; comments between them are left out, as Docker does. */
function* instructions(text: string): Generator<{ line: number; keyword: string; rest: string }> {
  let start = 0;
  let joined = '';
  for (const [index, raw] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(raw)) continue;
    if (joined === '') start = index + 1;
    if (raw.endsWith('\\')) {
      joined += raw.slice(0, -1);
      continue;
    }
    const [, keyword, rest] = /^([A-Z]+)\s+(.*)$/.exec(joined + raw) ?? [];
    if (keyword === undefined) throw new Error(`Dockerfile:${start}: not an instruction: ${joined}${raw}`);
    yield { line: start, keyword, rest: rest!.trim() };
    joined = '';
  }
  if (joined !== '') throw new Error(`Dockerfile:${start}: the last line goes on`);
}
