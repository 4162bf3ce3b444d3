import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf, convertText, warningsOf } from './convert-text.ts';

function converted(text: string) {
  const conversion = convertText(text);
  const [source] = configOf(conversion).sources;
  const warnings = warningsOf(conversion).filter((warning) =>
    /arser|parse|docker|cri_fields|@type|format/i.test(warning),
  );
  return { format: source!.format, stream: source!.stream, warnings };
}

const bit = (keys: string, file = '/var/log/containers/a_b_c.log') =>
  converted(
    `[INPUT]\n  Name tail\n  Path ${file}\n  Tag a\n  ${keys}\n[OUTPUT]\n  Name file\n  Match *\n  Path /archive\n  Format plain\n`,
  );
const fluentd = (parse: string, file = '/var/log/containers/a_b_c.log') =>
  converted(
    `<source>\n  @type tail\n  path ${file}\n  tag a\n  ${parse}\n</source>\n<match a>\n  @type file\n  path /archive\n</match>\n`,
  );

test('parsers of Fluent Bit', () => {
  const all = { stream: 'all', warnings: [] };
  assert.deepEqual(bit('Parser docker'), { format: 'docker', ...all });
  assert.deepEqual(bit('Parser cri'), { format: 'cri', ...all });
  assert.deepEqual(bit('Parser containerd-custom'), { format: 'cri', ...all });
  assert.deepEqual(bit('multiline.parser cri'), { format: 'cri', ...all });
  assert.deepEqual(bit('Parser json\n  Docker_Mode On'), { format: 'docker', ...all });
  assert.deepEqual(bit('Parser docker\n  Docker_Mode On\n  Docker_Mode_Flush 5'), { format: 'docker', ...all });
  assert.deepEqual(bit('Parser json'), { format: 'docker', ...all }, 'JSON in that directory is that of Docker');
  assert.deepEqual(bit('Parser json', '/var/log/audit/audit.log'), { format: 'json', stream: undefined, warnings: [] });
  const both = bit('multiline.parser docker, cri');
  assert.equal(both.format, 'cri');
  assert.match(both.warnings.join(), /a source has one format: cri is taken/);
  assert.match(bit('Parser cri\n  Docker_Mode On').warnings.join(), /the format is cri already/);
});

test('parsers of fluentd', () => {
  const all = { stream: 'all', warnings: [] };
  const nested = '<parse>\n @type cri\n merge_cri_fields false\n <parse>\n @type json\n </parse>\n </parse>';
  assert.deepEqual(fluentd(nested), { format: 'cri', ...all });
  assert.deepEqual(fluentd('format cri'), { format: 'cri', ...all });
  assert.deepEqual(fluentd('<parse>\n @type json\n </parse>'), { format: 'docker', ...all });
  assert.deepEqual(fluentd('format json', '/var/log/audit.log'), { format: 'json', stream: undefined, warnings: [] });
  assert.match(fluentd(nested.replace('false', 'true')).warnings.join(), /merge_cri_fields/);
});
