import type { Findings } from '../findings.ts';
import type { Section } from '../section.ts';
import { tagMatcher } from './tag-matcher.ts';

/** A `<filter>` or a `<match>`. */
export interface Element {
  readonly isFilter: boolean;
  readonly section: Section;
  /** Undefined for a regular expression, which is no pattern here. */
  readonly pattern: string | undefined;
  readonly matches: (tag: string) => boolean;
}

/** What events pass in order: the file's own level, or a label. */
export type Scope = readonly Element[];

export interface Pipeline {
  readonly sources: readonly Section[];
  readonly root: Scope;
  readonly labels: ReadonlyMap<string, Scope>;
}

/** Sorts what stands in a configuration. Workers are one process here, so what is in `<worker>` counts as if it stood alone. */
export function buildPipeline(config: Section, findings: Findings): Pipeline {
  const sources: Section[] = [];
  const root: Element[] = [];
  const labels = new Map<string, Scope>();
  const visit = (section: Section): void => {
    for (const param of section.params) findings.warn(param, `${param.key} stands outside of any section`);
    for (const child of section.sections) {
      if (child.name === 'source') sources.push(child);
      else if (child.name === 'filter' || child.name === 'match') root.push(element(child, findings));
      else if (child.name === 'label') addLabel(labels, child, findings);
      else if (child.name === 'worker') visit(child);
      else if (child.name === 'system') system(child, findings);
      else findings.warnAll(child, `<${child.name}> has no counterpart here`);
    }
  };
  visit(config);
  return { sources, root, labels };
}

function addLabel(labels: Map<string, Scope>, section: Section, findings: Findings): void {
  if (labels.has(section.arg)) {
    findings.warnAll(section, `the label ${section.arg} stands twice, and fluentd uses the first`);
    return;
  }
  if (section.arg === '@ERROR') {
    findings.noteAll(
      section,
      'lines that are no events keep a tag of their own, ending in ._unparsed, and are archived',
    );
    return;
  }
  const inside = section.sections.filter(({ name }) => name === 'filter' || name === 'match');
  for (const child of section.sections) {
    if (!inside.includes(child)) findings.warnAll(child, `<${child.name}> has no meaning in a label`);
  }
  labels.set(
    section.arg,
    inside.map((child) => element(child, findings)),
  );
}

function element(section: Section, findings: Findings): Element {
  const isFilter = section.name === 'filter';
  const written = section.arg === '' ? '**' : section.arg;
  const expression = /^\/(.*)\/$/.exec(written);
  if (expression !== null) {
    const regexp = regexpOf(expression[1]!);
    if (regexp === undefined)
      findings.warn(section, `${written} is no regular expression here; nothing is taken by it`);
    return { isFilter, section, pattern: undefined, matches: (tag) => regexp?.test(tag) === true };
  }
  const complain = (at: Section) => (message: string) => findings.warn(at, `${message}; nothing is taken by it`);
  for (const inner of [...section.all('case'), ...section.all('route')]) tagMatcher(inner.arg, complain(inner));
  let isBroken = false;
  const matches = tagMatcher(written, (message) => {
    isBroken = true;
    complain(section)(message);
  });
  return { isFilter, section, pattern: isBroken ? undefined : written, matches };
}

function regexpOf(source: string): RegExp | undefined {
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}

function system(section: Section, findings: Findings): void {
  for (const param of section.params) {
    const isPermission = /^(?:file|dir)_permission$/.test(param.key);
    const why = isPermission ? 'set mode and dir_mode of the file sinks' : 'it concerns the process of fluentd';
    if (isPermission) findings.warn(param, `${param.key}: ${why}`);
    else findings.note(param, `${param.key}: ${why}`);
  }
  for (const child of section.sections) findings.noteAll(child, `<${child.name}>: it concerns the process of fluentd`);
}
