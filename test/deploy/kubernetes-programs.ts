import path from 'node:path';
import { type Built, buildProgram } from '../servers/build-program.ts';
import type { Program } from '../servers/programs.ts';

/** For each; they take a minute where nothing is compiled yet, and the network another. */
const LIMIT_MS = 4 * 60_000;

const PROGRAMS = {
  kustomize: {
    name: 'kustomize',
    version: 'v5.8.1',
    main: { package: 'sigs.k8s.io/kustomize/kustomize/v5' },
    modules: [['sigs.k8s.io/kustomize/kustomize/v5', 'v5.8.1']],
  },
  'manifest-check': {
    name: 'manifest-check',
    version: 'v1.35.2',
    main: { file: path.join(import.meta.dirname, 'go/manifest-check/main.go') },
    modules: [
      ['k8s.io/kubernetes', 'v1.35.2'],
      ['github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring', 'v0.89.0'],
    ],
    siblings: 'v0.35.2',
  },
} as const satisfies Record<string, Program>;

/** The real kustomize, or the kube-apiserver's checks of manifests; built from their modules into the cache of receivers. */
export function buildKubernetesProgram(name: keyof typeof PROGRAMS): Promise<Built> {
  return buildProgram(PROGRAMS[name], AbortSignal.timeout(LIMIT_MS));
}
