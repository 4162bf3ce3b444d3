import type { Format } from '../format.ts';
import type { FormatParts } from '../format-parts.ts';
import { JoinedLines } from './joined-lines.ts';

const HEAD = '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[';

/**
 * The body that the kube-apiserver's own audit webhook sends: `EventList` of audit.k8s.io/v1, with the keys in the
 * apiserver's order (k8s.io/apiserver, pkg/apis/audit/v1/types.go).
 */
export function eventList(parts: FormatParts): Format {
  return new JoinedLines(parts, { contentType: 'application/json', before: HEAD, between: ',', after: ']}' });
}
