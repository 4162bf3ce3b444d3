import { AuditailError } from '../../errors.ts';
import { parseTagTemplate, type TagTemplate } from '../../route/tag-template.ts';
import type { HttpEvent } from './http-event.ts';

/** What is the same for all events of a sink: the name of the host, and the cluster's where it is configured. */
export interface Origin {
  readonly node: string;
  readonly cluster: string | undefined;
}

const NAMES = ['node', 'cluster', 'source', 'time'] as const;

/** Text with `${node}`, `${cluster}`, `${source}`, `${time}` and the forms of `${tag}`, compiled. */
export class EventTemplate {
  /** Whether the text is the same for all events of a sink. */
  readonly isConstant: boolean;
  readonly #template: TagTemplate;
  readonly #values: { node: string; cluster: string };
  readonly #hasTime: boolean;

  /** @throws AuditailError `TEMPLATE`; also for `${cluster}` where no cluster is configured. */
  constructor(template: string, { node, cluster }: Origin) {
    this.#template = parseEventTemplate(template, cluster);
    this.#values = { node, cluster: cluster ?? '' };
    const changing = this.#template.pieces.filter(
      (piece) => piece.kind === 'tag' || (piece.kind === 'name' && !Object.hasOwn(this.#values, piece.name)),
    );
    this.isConstant = changing.length === 0;
    this.#hasTime = changing.some((piece) => piece.kind === 'name' && piece.name === 'time');
  }

  /** `${time}` is the event's time in RFC 3339 with milliseconds, in UTC. */
  render(event: Pick<HttpEvent, 'tag' | 'source' | 'time'>): string {
    const { source } = event;
    const time = this.#hasTime ? rfc3339(event.time) : '';
    return this.#template.render(event.tag, [], { ...this.#values, source, time });
  }
}

/** Parses the text of an {@link EventTemplate}. @throws AuditailError `TEMPLATE` */
export function parseEventTemplate(template: string, cluster: string | undefined): TagTemplate {
  const parsed = parseTagTemplate(template, { captures: false, names: NAMES });
  if (cluster === undefined && parsed.pieces.some((piece) => piece.kind === 'name' && piece.name === 'cluster')) {
    const reason = `template '${template}': the sink has no cluster for \${cluster}`;
    throw new AuditailError('TEMPLATE', reason, {
      hint: "Set the sink's cluster to the name of the Kubernetes cluster",
    });
  }
  return parsed;
}

/** Times outside of what a Date can hold are taken for the nearest, so that no line can make a sink fail. */
function rfc3339(timeMs: number): string {
  return new Date(Math.min(Math.max(timeMs, -8.64e15), 8.64e15)).toISOString();
}
