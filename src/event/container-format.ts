import type { SourceFormat, SourceStream } from '../config/types.ts';
import { type ContainerLine, STDERR, STDOUT } from './container-line.ts';
import { CriLine } from './cri-line.ts';
import { DockerLine } from './docker-line.ts';

/** The formats of container logs. */
export type ContainerFormat = Exclude<SourceFormat, 'json'>;

export function containerLine(format: ContainerFormat): ContainerLine {
  return format === 'cri' ? new CriLine() : new DockerLine();
}

/** As bits of {@link ContainerLine.stream}. */
export function streamBits(stream: SourceStream): number {
  if (stream === 'all') return STDOUT | STDERR;
  return stream === 'stdout' ? STDOUT : STDERR;
}
