import type { Param } from './section.ts';
import type { Fate } from './settings.ts';

/** Keys of a source, each with the parameter that it comes from. */
type Keys = [string, string | readonly string[], Param][];

/** Where the logs of containers stand, whoever writes them. */
const DIRECTORIES = /^\/var\/log\/(?:containers|pods)\/|^\/var\/lib\/docker\/containers\//;

const TAKEN_OFF =
  'the wrapper of each line is taken off and parts are joined: an event is what the container wrote; both streams are read, as before';

/** The format that the name of a parser stands for; undefined when it is none of a container's log. */
function formatOf(parser: string): 'cri' | 'docker' | undefined {
  const name = /^(cri|containerd|docker)(?:[-_]|$)/i.exec(parser)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  return name === 'docker' ? 'docker' : 'cri';
}

/** Sets the format that a parser stands for, or several of them do; false when it is none of a container's log. */
export function setContainerFormat(keys: Keys, param: Param, parser = param.value): Fate | false {
  const formats = new Set(parser.split(/[\s,]+/).flatMap((one) => formatOf(one) ?? []));
  const [format] = formats;
  if (format === undefined) return false;
  const chosen = formats.size > 1 ? 'cri' : format;
  const before = keys.find(([key]) => key === 'format')?.[1];
  if (before !== undefined && before !== chosen) return { warn: `the format is ${String(before)} already` };
  if (before === undefined) keys.push(['format', chosen, param], ['stream', 'all', param]);
  if (formats.size === 1) return { note: TAKEN_OFF };
  return {
    warn: 'a source has one format: cri is taken, as containerd and CRI-O write it; with Docker set it to docker',
  };
}

/** Of container logs only Docker's are JSON: with a JSON parser it is their wrapper that was parsed. */
export function setDockerByPath(keys: Keys, json: Param | undefined, path: string): boolean {
  if (json === undefined || !DIRECTORIES.test(path) || keys.some(([key]) => key === 'format')) return false;
  keys.push(['format', 'docker', json], ['stream', 'all', json]);
  return true;
}

export const DOCKER_BY_PATH = `these are JSON lines in a directory of container logs, as Docker writes them: ${TAKEN_OFF}`;
