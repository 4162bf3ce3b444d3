import fs from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';

export const ROOT = path.resolve(import.meta.dirname, '../..');
export const DIRECTORY = path.join(ROOT, 'deploy/kubernetes');

/** Of the DaemonSet, what tests look at. */
export interface DaemonSet {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

export interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly hostPath?: { readonly path: string; readonly type: string };
  }[];
}

export interface Container {
  readonly env: readonly { readonly name: string }[];
  readonly ports: readonly { readonly containerPort: number; readonly name: string }[];
  readonly securityContext: { readonly capabilities: Readonly<Record<string, readonly string[]>> };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

/** A file below `deploy/kubernetes`, as YAML. */
export function manifest<T>(file: string): T {
  return load(fs.readFileSync(path.join(DIRECTORY, file), 'utf8')) as T;
}

/** The one container of a DaemonSet, or of a patch of it. */
export function containerOf(daemonSet: DaemonSet): Container {
  const [container, ...others] = daemonSet.spec.template.spec.containers;
  if (container === undefined || others.length > 0) throw new Error('not one container');
  return container;
}
