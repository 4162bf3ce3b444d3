import { Random } from '../bench/random.ts';
import type { NewLine } from './log-model.ts';

/** Every line is told from all others by what stands in these first bytes. */
export const UNIQUE_BYTES = 100;

/** As small as an event gets here; far below {@link MAX_LINE_BYTES}. */
const MAX_FILLER = 1500;

/** `max_line_bytes` of the agent under torture: what is longer is a very long line. */
export const MAX_LINE_BYTES = 64 * 1024;

const NAMESPACES = ['kube-system', 'team-a', 'team-b', 'team-c', 'monitoring', 'ingress', 'payments'];

/** Values that are no namespaces, as an attacker puts them into a URL. */
const HOSTILE = ['../../etc', 'UPPER', 'a/b', '', 'x'.repeat(300)];

/** Lines of an audit log, no two alike, each with a later time than the one before it. */
export class LineMaker {
  readonly #random: Random;
  readonly #seed: number;
  #made = 0;
  #lastMs = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Random(seed ^ 0x5eed);
  }

  /** @param length bytes that it has at least. */
  event(length = 0): NewLine {
    const random = this.#random;
    this.#lastMs = Math.max(this.#lastMs + 1, Date.now());
    const { namespace, tag } = this.#namespace();
    const head = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"${this.#id()}"`;
    const object = namespace === undefined ? '' : `,"objectRef":{"namespace":${JSON.stringify(namespace)}}`;
    const filler = 'f'.repeat(Math.max(random.below(MAX_FILLER), length));
    const text = `${head}${object},"requestObject":"${filler}","stageTimestamp":"${new Date(this.#lastMs).toISOString()}"}`;
    const isLong = text.length > MAX_LINE_BYTES;
    return {
      bytes: Buffer.from(text),
      kind: isLong ? 'long' : 'event',
      tag: isLong ? '_oversize' : tag,
      timeMs: this.#lastMs,
    };
  }

  /** A line that is no event: text, or bytes that are no UTF-8. It ends in nothing that looks like an event. */
  garbage(): NewLine {
    const id = this.#id();
    const kinds = [
      Buffer.from(`E1130 12:00:00.000000 1 ${id} ${'klog '.repeat(20)}`),
      Buffer.from(`{"kind":"Event","auditID":"${id}","verb":"get",${'"more":1,'.repeat(20)}`),
      Buffer.concat([Buffer.from(id), Buffer.from([0xff, 0xfe, 0x80, 0x1b, 0x5b]), Buffer.alloc(120, 0xc3)]),
      Buffer.from(`["${id}", ${'1, '.repeat(40)}2]`),
    ];
    return { bytes: this.#random.pick(kinds), kind: 'garbage', tag: '_unparsed', timeMs: undefined };
  }

  #id(): string {
    return `${this.#seed.toString(16).padStart(8, '0')}-${String(++this.#made).padStart(12, '0')}`;
  }

  #namespace(): { namespace: string | undefined; tag: string } {
    const random = this.#random;
    if (random.chance(0.05)) return { namespace: undefined, tag: '_none' };
    if (random.chance(0.02)) {
      const namespace = random.pick(HOSTILE);
      return { namespace, tag: namespace === '' ? '_none' : '_invalid' };
    }
    const namespace = random.pick(NAMESPACES);
    return { namespace, tag: namespace };
  }
}
