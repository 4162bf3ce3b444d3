import path from 'node:path';
import { LIMITS } from '../../config/limits.ts';
import { DOCKER_BY_PATH, setContainerFormat, setDockerByPath } from '../container-log.ts';
import type { Context } from '../context.ts';
import { MappingBuilder } from '../mapping-builder.ts';
import type { Param, Section } from '../section.ts';
import { applySettings, each, type Fate } from '../settings.ts';
import { expandTag } from '../tag-of-path.ts';
import { takeOver } from '../take-over.ts';
import { durationWithin, fluentdSize, milliseconds, sizeWithin, truth } from '../values.ts';

export interface TailSource {
  readonly tag: string;
  readonly path: string;
  readonly keys: MappingBuilder;
  readonly section: Section;
  /** `time_key` where there is one. */
  readonly timeKey: Param | undefined;
}

const JSON_PARSERS = new Set(['json', 'json_in_json', 'none']);

const FLUENTD_ONLY = 'it concerns the process of fluentd';

/** The sources of a `tail`: one for each of its paths, all with its tag. */
export function readTail(section: Section, { findings }: Context): TailSource[] {
  const keys: [string, string | readonly string[], Param][] = [];
  const duration =
    (key: string, range: { min: number; max: number }) =>
    (param: Param): Fate => {
      const ms = milliseconds(param.value);
      if (ms === undefined) return { warn: 'a time was expected' };
      keys.push([key, durationWithin(ms, range), param]);
    };
  let json: Param | undefined;
  const parser = (param: Param): Fate => {
    const name = param.value.toLowerCase();
    if (name === 'json') {
      json = param;
      return undefined;
    }
    const container = setContainerFormat(keys, param);
    if (container !== false) return container;
    if (JSON_PARSERS.has(name)) return { note: 'audit logs are JSON, and each line is passed on as it was read' };
    return {
      warn: `${name} lines are not read here: each line must be a JSON object; others get the tag ending in ._unparsed`,
    };
  };
  const timeSettings = {
    time_key: undefined,
    ...each(['time_format', 'time_type', 'keep_time_key', 'utc', 'localtime', 'timezone', 'estimate_current_event'], {
      note: 'the times of audit events are RFC 3339, and stay in them',
    }),
  };
  const read = {
    json_parser: { note: 'there is one' },
    null_empty_string: { warn: 'events are not changed' },
    types: { note: 'events are not changed' },
    ...timeSettings,
  };
  let timeKey = section.param('time_key');
  applySettings(
    section,
    'tail',
    {
      ...read,
      '@type': undefined,
      type: undefined,
      '@label': undefined,
      tag: undefined,
      path: undefined,
      format: parser,
      exclude_path: (param) => {
        const list = globList(param.value);
        keys.push(['exclude', list, param]);
      },
      read_from_head: (param) => {
        const fromHead = truth(param.value);
        if (fromHead === undefined) return { warn: 'true or false was expected' };
        keys.push(['read_from', fromHead ? 'head' : 'tail', param]);
      },
      refresh_interval: duration('refresh_interval', LIMITS.refreshInterval),
      rotate_wait: duration('rotate_wait', LIMITS.rotateWait),
      max_line_size: (param) => {
        const bytes = fluentdSize(param.value);
        if (bytes === undefined) return { warn: 'a size was expected' };
        keys.push(['max_line_bytes', sizeWithin(bytes, { min: LIMITS.maxLineBytes.min, max: 32 * 1024 ** 2 }), param]);
        return { note: 'longer lines are not dropped here; they go into the file of the tag ending in ._oversize' };
      },
      pos_file: takeOver('fluentd'),
      pos_file_compaction_interval: { note: 'the place in each log is kept in state_dir' },
      '@id': { note: 'it names the plugin in what fluentd logs' },
      id: { note: 'it names the plugin in what fluentd logs' },
      ...each(['@log_level', 'log_level', 'ignore_repeated_permission_error', 'max_notify_wait_time'], {
        note: FLUENTD_ONLY,
      }),
      ...each(
        [
          'follow_inodes',
          'enable_watch_timer',
          'enable_stat_watcher',
          'open_on_every_update',
          'skip_refresh_on_startup',
        ],
        {
          note: 'files are known by their identity, and found by looking at them',
        },
      ),
      ...each(['read_lines_limit', 'read_bytes_limit_per_second'], {
        note: 'what is in flight is bounded by memory_limit',
      }),
      limit_recently_modified: { warn: 'every part that was not read to its end is read, however old' },
      ...each(['encoding', 'from_encoding'], { warn: 'lines are read as UTF-8' }),
      path_key: { warn: 'no field with the path is added; HTTP sinks can add ${source}' },
      path_timezone: { warn: 'paths with times in them are not known here; use a glob' },
      path_delimiter: undefined,
      glob_policy: { note: 'globs have *, ?, [] and {}' },
      emit_unmatched_lines: { note: 'lines that are no events are never dropped; their tag ends in ._unparsed' },
      multiline_flush_interval: { note: 'an audit event is one line' },
    },
    {
      parse: (child) => {
        timeKey = child.param('time_key') ?? timeKey;
        applySettings(
          child,
          '<parse>',
          {
            ...read,
            '@type': parser,
            type: parser,
            keep_time_key: { note: 'it stays in them' },
            merge_cri_fields: (param) =>
              truth(param.value) === false
                ? undefined
                : { warn: 'the time and the stream of the wrapper are in no event here' },
          },
          { parse: { note: 'what the container wrote is an audit event, which is JSON' } },
          findings,
        );
      },
      group: { note: 'each source is read at its own pace' },
    },
    findings,
  );
  if (section.param('read_from_head') === undefined) {
    const place = 'fluentd began a log that it did not know at its end';
    findings.note(
      section,
      `${place}; here it begins at its head, so that nothing is missing; what was read before comes once more unless its place is taken over`,
    );
  }
  const written = section.param('path');
  if (written === undefined) {
    findings.warn(section, 'the source has no path');
    return [];
  }
  return (written.value === '' ? [] : written.value.split(section.text('path_delimiter') ?? ',')).map((one) => {
    const file = one.trim();
    const tag = expandTag(section.param('tag'), file, section, findings);
    if (!path.isAbsolute(file) && !file.startsWith('${env:')) findings.warn(written, `path: ${file} is not absolute`);
    if (/%[A-Za-z]/.test(file)) findings.warn(written, 'path: times in a path are not filled in here; use a glob');
    const builder = new MappingBuilder().set('tag', tag, section.param('tag')?.place).set('path', file, written.place);
    const own = [...keys];
    if (setDockerByPath(own, json, file)) findings.note(written, `path: ${DOCKER_BY_PATH}`);
    for (const [key, value, { place }] of own) builder.set(key, value, place);
    return { tag, path: file, keys: builder, section, timeKey };
  });
}

function globList(value: string): string[] {
  if (!value.startsWith('[')) return value.split(',').map((one) => one.trim());
  return value.split(/[[\]",\s]+/).filter((one) => one !== '');
}
