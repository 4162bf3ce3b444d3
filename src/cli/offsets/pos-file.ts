import { AuditailError } from '../../errors.ts';
import type { OtherPosition } from './other-positions.ts';

/** `path TAB offset TAB inode`, both in hexadecimal digits; before fluentd v0.14 the inode had eight. */
const LINE = /^([^\t]+)\t([0-9a-f]{16})\t([0-9a-f]{16}|[0-9a-f]{8})$/;

/** The offset of a file that fluentd does not watch any more. */
const UNWATCHED = 0xffff_ffff_ffff_ffffn;

/** The inode of a file that fluentd never found. */
const NONE = 0n;

/** More than this of a wrong line helps nobody. */
const SHOWN_CHARACTERS = 80;

/**
 * Reads fluentd's `pos_file`. What it had stopped watching, or never found, is left out.
 *
 * @throws AuditailError `IMPORT_FORMAT` for the first line that is none
 */
export function parsePosFile(content: Buffer, file: string): OtherPosition[] {
  const lines = content.toString('utf8').split('\n');
  // Each line ends with a newline.
  if (lines.at(-1) === '') lines.pop();
  return lines.flatMap((line, index) => {
    const match = LINE.exec(line);
    if (match === null) throw wrongLine(file, index + 1, line);
    const [offset, inode] = [BigInt(`0x${match[2]}`), BigInt(`0x${match[3]}`)];
    if (offset === UNWATCHED || inode === NONE) return [];
    return [{ place: `line ${index + 1}`, path: match[1]!, inode, offset }];
  });
}

function wrongLine(file: string, number: number, line: string): AuditailError {
  const shown = JSON.stringify(line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line);
  return new AuditailError('IMPORT_FORMAT', `${file}:${number}: ${shown} is no line of a pos_file of fluentd`, {
    hint: 'Expected are a path, an offset and an inode in hexadecimal digits, with tabs between them',
  });
}
