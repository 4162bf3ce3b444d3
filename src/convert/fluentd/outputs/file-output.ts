import { type Compression, ENDINGS } from '../../../config/types.ts';
import { COMMON, type OutputScope, template } from '../../output-scope.ts';
import type { Param } from '../../section.ts';
import { applySettings, each, type Fate } from '../../settings.ts';
import { fluentdSize, milliseconds, truth } from '../../values.ts';
import { archivingBuffer, bufferSections } from './buffer.ts';

const DAY_SECONDS = 86_400;

const UNCHANGED = { warn: 'lines are written as they were read, without further fields' };
const EVENT_TIMES = new Set(['stageTimestamp', 'requestReceivedTimestamp']);

/** `out_file`: `generate_path_template` of fluentd's out_file.rb says how a path becomes the name of a file. */
export function fileOutput(scope: OutputScope): void {
  const { section, keys, context, timeKey } = scope;
  const { findings } = context;
  keys.set('path', filePath(scope), section.param('path')?.place);
  const compress = section.param('compress');
  const compression = compressionOf(compress);
  if (compression !== 'gzip') keys.set('compress', compression, compress?.place);
  keys.set('timezone', context.timeZone);
  if (timeKey !== undefined && EVENT_TIMES.has(timeKey.value)) keys.set('time', timeKey.value, timeKey.place);
  else findings.note(section, "the time that names an event's file is its stageTimestamp");
  if (truth(section.text('append') ?? 'false') !== true) {
    findings.note(
      section,
      'each hour and tag has one file, that is written on with every commit, not numbered ones (_0, _1)',
    );
  }
  const buffer = archivingBuffer(scope);
  const format = (param: Param): Fate => {
    if (param.value === 'json' || param.value === 'single_value') return undefined;
    return { warn: `lines are written as JSON, as they were read, not as ${param.value}` };
  };
  const formatting = {
    ...each(['include_time_key', 'include_tag_key'], (param: Param) =>
      truth(param.value) === true ? UNCHANGED : undefined,
    ),
    ...each(['time_key', 'tag_key', 'time_format', 'time_type'], { note: 'no field is added to lines' }),
    ...each(['output_tag', 'output_time', 'delimiter', 'message_key', 'add_newline', 'newline', 'output_type'], {
      note: 'a line of a file is a line of the log',
    }),
  };
  if (section.param('format') === undefined && section.find('format') === undefined) {
    findings.warn(section, 'fluentd wrote time, tag and JSON in columns; here a line is the JSON alone');
  }
  applySettings(
    section,
    'file',
    {
      ...buffer,
      ...COMMON,
      ...formatting,
      format,
      path: undefined,
      time_slice_format: undefined,
      append: undefined,
      compress: undefined,
      add_path_suffix: undefined,
      path_suffix: undefined,
      recompress: { note: 'content is compressed once' },
      symlink_path: { warn: 'no link to the newest file is kept' },
    },
    {
      ...bufferSections(scope, buffer),
      format: (child) =>
        applySettings(
          child,
          '<format>',
          { ...formatting, '@type': format, type: format, localtime: UNCHANGED, utc: UNCHANGED },
          {},
          findings,
        ),
    },
    findings,
  );
}

function filePath(scope: OutputScope): string {
  const { section, context } = scope;
  const written = section.param('path');
  if (written === undefined) {
    context.findings.warn(section, 'the output has no path');
    return '/var/log/auditail/converted.%Y%m%d.log';
  }
  const slice = timeSlice(scope);
  const suffix =
    truth(section.text('add_path_suffix') ?? 'true') === true ? (section.text('path_suffix') ?? '.log') : '';
  const path = template(scope, written, 'name');
  const ending = ENDINGS[compressionOf(section.param('compress'))];
  if (path.includes('*')) return `${path.replaceAll('*', slice)}${ending}`;
  const hasTime = slice.match(/%./g)?.some((field) => path.includes(field)) === true;
  return `${path}${hasTime || slice === '' ? '' : `.${slice}`}${suffix}${ending}`;
}

/** `time_slice_format`, or what the `timekey` of the buffer means. A buffer by tag alone has files without time. */
function timeSlice({ section }: OutputScope): string {
  const written = section.text('time_slice_format');
  if (written !== undefined) return written;
  const buffer = section.find('buffer');
  if (buffer !== undefined && buffer.arg !== '' && !buffer.arg.includes('time')) return '';
  const timekey = buffer?.text('timekey');
  const seconds = timekey === undefined ? DAY_SECONDS : (milliseconds(timekey) ?? fluentdSize(timekey) ?? 0) / 1000;
  if (seconds < 60) return '%Y%m%d%H%M%S';
  if (seconds < 3600) return '%Y%m%d%H%M';
  return seconds < DAY_SECONDS ? '%Y%m%d%H' : '%Y%m%d';
}

function compressionOf(compress: Param | undefined): Compression {
  if (compress?.value === 'zstd') return 'zstd';
  return compress !== undefined && /^(?:gz|gzip|yes|true)$/.test(compress.value) ? 'gzip' : 'none';
}
