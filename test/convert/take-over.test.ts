import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conversion } from '../../src/convert/convert.ts';
import { convertText } from './convert-text.ts';

function commands({ notes }: Conversion): string[] {
  return notes.flatMap(({ line, message }) => {
    const [, command] = /(auditail offsets import .*)$/.exec(message) ?? [];
    return command === undefined ? [] : [`${line} ${command}`];
  });
}

test('of a pos_file the note has the command that takes it over', () => {
  const source = (file: string) =>
    `<source>\n  @type tail\n  path /var/log/audit.log\n  pos_file ${file}\n  tag audit\n  format json\n</source>\n<match **>\n  @type file\n  path /a\n</match>\n`;
  assert.deepEqual(commands(convertText(source('/var/log/td-agent/audit.pos'))), [
    '4 auditail offsets import -c FILE --from fluentd /var/log/td-agent/audit.pos',
  ]);
  assert.deepEqual(commands(convertText(source(`"/var/it's here.pos"`))), [
    String.raw`4 auditail offsets import -c FILE --from fluentd '/var/it'\''s here.pos'`,
  ]);
});

test('of a DB the note has the command that takes it over', () => {
  const text =
    '[INPUT]\n  Name tail\n  Path /var/log/audit.log\n  Tag audit\n  DB /var/lib/fluent-bit/audit.db\n  DB.sync Normal\n[OUTPUT]\n  Name file\n  Match *\n  Path /a\n  Format plain\n';
  assert.deepEqual(commands(convertText(text)), [
    '5 auditail offsets import -c FILE --from fluent-bit /var/lib/fluent-bit/audit.db',
  ]);
});
