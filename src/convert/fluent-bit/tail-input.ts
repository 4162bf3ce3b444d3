import { LIMITS } from '../../config/limits.ts';
import { DOCKER_BY_PATH, setContainerFormat, setDockerByPath } from '../container-log.ts';
import type { Context } from '../context.ts';
import { MappingBuilder } from '../mapping-builder.ts';
import type { Param, Section } from '../section.ts';
import { applySettings, each, type Fate } from '../settings.ts';
import { expandTag } from '../tag-of-path.ts';
import { takeOver } from '../take-over.ts';
import { durationWithin, fluentBitSize, milliseconds, sizeWithin, truth } from '../values.ts';

export interface BitSource {
  readonly tag: string;
  readonly keys: MappingBuilder;
  readonly section: Section;
}

const POSITION = { note: 'the place in each log is kept in state_dir' };
const BOUNDED = { note: 'what is in flight is bounded by memory_limit' };
const JOINED = { note: 'parts of a line are joined, however long the time between them' };

/** The sources of an `[INPUT]` of tail: one for each of its paths, all with its tag. */
export function readTailInput(section: Section, { findings }: Context): BitSource[] {
  const keys: [string, string | readonly string[], Param][] = [];
  const duration =
    (key: string, range: { min: number; max: number }) =>
    (param: Param): Fate => {
      const ms = milliseconds(param.value.replace(/\s.*$/, ''));
      if (ms === undefined) return { warn: 'a time was expected' };
      keys.push([key, durationWithin(ms, range), param]);
      return undefined;
    };
  let json: Param | undefined;
  const parser = (param: Param): Fate => {
    const { value } = param;
    const container = setContainerFormat(keys, param);
    if (container !== false) return container;
    if (/json/i.test(value)) {
      json = param;
      return { note: 'audit logs are JSON, and each line is passed on as it was read' };
    }
    return { warn: `lines of the parser ${value} are not read here: each line must be a JSON object` };
  };
  applySettings(
    section,
    'tail',
    {
      name: undefined,
      tag: undefined,
      path: undefined,
      alias: undefined,
      parser,
      'multiline.parser': parser,
      format: parser,
      exclude_path: (param) => void keys.push(['exclude', param.value.split(',').map((one) => one.trim()), param]),
      read_from_head: (param) => {
        const fromHead = truth(param.value);
        if (fromHead === undefined) return { warn: 'true or false was expected' };
        keys.push(['read_from', fromHead ? 'head' : 'tail', param]);
        return undefined;
      },
      refresh_interval: duration('refresh_interval', LIMITS.refreshInterval),
      rotate_wait: duration('rotate_wait', LIMITS.rotateWait),
      buffer_max_size: (param) => {
        const bytes = fluentBitSize(param.value);
        if (bytes === undefined) return { warn: 'a size was expected' };
        keys.push(['max_line_bytes', sizeWithin(bytes, { min: LIMITS.maxLineBytes.min, max: 32 * 1024 ** 2 }), param]);
        return undefined;
      },
      skip_long_lines: {
        note: 'a longer line is neither skipped nor does it stop a file: it goes into the file of the tag ending in ._oversize',
      },
      skip_empty_lines: { note: 'empty lines are skipped and counted' },
      ...each(
        [
          'buffer_chunk_size',
          'mem_buf_limit',
          'static_batch_size',
          'event_batch_size',
          'storage.type',
          'storage.pause_on_chunks_overlimit',
          'file_cache_advise',
        ],
        BOUNDED,
      ),
      db: takeOver('fluent-bit'),
      ...each(['db.sync', 'db.locking', 'db.journal_mode', 'db.compare_filename'], POSITION),
      ...each(
        [
          'inotify_watcher',
          'progress_check_interval',
          'progress_check_interval_nsec',
          'watcher_interval',
          'threaded',
          'log_level',
        ],
        {
          note: 'it concerns how Fluent Bit looks at files',
        },
      ),
      key: { note: 'an event is its line' },
      path_key: { warn: 'no field with the path is added; HTTP sinks can add ${source}' },
      offset_key: { warn: 'no field with the offset is added' },
      tag_regex: { warn: 'the tag does not depend on the name of the file here' },
      ...each(['ignore_older', 'ignore_active_older_files'], {
        warn: 'every part that was not read to its end is read, however old',
      }),
      docker_mode: (param) =>
        truth(param.value) === true ? setContainerFormat(keys, param, 'docker') || undefined : undefined,
      docker_mode_flush: JOINED,
      docker_mode_parser: JOINED,
      ...each(['multiline', 'multiline_flush', 'parser_firstline'], { warn: 'an event is one line' }),
      exit_on_eof: { note: 'that is run --exit-at-eof' },
      ...each(['unicode.encoding', 'generic.encoding'], { warn: 'lines are read as UTF-8' }),
      truncate_long_lines: { note: 'a longer line goes into the file of the tag ending in ._oversize' },
    },
    {},
    findings,
  );
  if (section.param('read_from_head') === undefined) {
    findings.note(
      section,
      'Fluent Bit began a log that it did not know at its end; here it begins at its head, so that nothing is missing; what was read before comes once more unless its place is taken over',
    );
  }
  const path = section.param('path');
  if (path === undefined) findings.warn(section, 'the input has no path');
  return (path?.value.split(',') ?? []).map((one) => {
    const file = one.trim();
    const tag = expandTag(section.param('tag'), file, section, findings);
    const builder = new MappingBuilder().set('tag', tag, section.param('tag')?.place).set('path', file, path!.place);
    const own = [...keys];
    if (setDockerByPath(own, json, file)) findings.note(path!, `path: ${DOCKER_BY_PATH}`);
    for (const [key, value, { place }] of own) builder.set(key, value, place);
    return { tag, keys: builder, section };
  });
}
