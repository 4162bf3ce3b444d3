import type { JsonSchema } from '../src/config/json-schema.ts';

const INTRODUCTION = `# Configuration

<!-- Written by config/generate.ts from src/config/schema.ts: change it there. -->

auditail reads one YAML file, named with \`-c\`. Every key has a default where one can exist, and an empty file is a valid
configuration: the default source, the namespace rewrite and the archive. \`auditail check -c FILE\` prints all errors at
once, with line and column, and warns of what is valid and will hurt.

- Unknown keys are errors, and so are keys that stand twice.
- Sizes are bytes with a unit: \`64KiB\`, \`10GiB\` (powers of 1024), \`1MB\` (powers of 1000), or a plain number.
- Durations have a unit: \`500ms\`, \`5s\`, \`5m\`, \`1h\`, \`7d\`.
- \`\${env:NAME}\` in a text is the environment variable NAME; when it is not set, that is an error. \`$\${\` is a literal
  \`\${\`. Other forms, such as \`\${tag}\`, belong to templates.
- YAML anchors, aliases and merges (\`<<: *base\`) work. A file has at most 1 MiB.
- Editors check and complete the file with [auditail.schema.json](../config/auditail.schema.json), for example with a
  first line \`# yaml-language-server: $schema=…/auditail.schema.json\`.

Some things are errors only together: two sinks that could write one file; a sink's files, or \`state_dir\`, where a
source would read them; a \`max_line_bytes\` of more than half the \`memory_limit\`; names that are not unique; a \`max_age\`
shorter than \`min_keep\`; a batch that is larger than its sink's share of the memory; keys that the sink's format has no
use for.

A password, a token, the value of a header, and all of a URL but its origin are shown nowhere: not in an error about them,
not by \`check\`, and not in the log. Keep them in a file of their own (\`password_file\`, \`bearer_file\`, \`value_file\`),
which is read again when it changes, or in the environment.
`;

/** The reference: a table for each mapping of the schema, and the default configuration. */
export function renderReference(schema: JsonSchema, defaultFile: string): string {
  const file = `## The default configuration\n\n\`\`\`yaml\n${defaultFile.trimEnd()}\n\`\`\`\n`;
  return [INTRODUCTION, ...tables(schema, '', 'Top level'), file].join('\n');
}

function tables(node: JsonSchema, prefix: string, title: string): string[] {
  const keys = Object.entries(node.properties ?? {});
  const head = [`## ${title}`, ...(node.description === undefined ? [] : [node.description])].join('\n\n');
  const rows = keys.map(([key, child]) => row(key, child, node)).join('\n');
  const nested = keys.flatMap(([key, child]) => {
    const path = `${prefix}${key}${child.items === undefined ? '' : '[]'}`;
    return mappings(child).flatMap((inner, _, all) => {
      const type = all.length > 1 ? `, \`type: ${inner.properties?.type?.const}\`` : '';
      const described = { ...inner, ...(child.description && { description: child.description }) };
      return tables(described, `${path}.`, `\`${path}\`${type}`);
    });
  });
  return [`${head}\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n${rows}\n`, ...nested];
}

function row(key: string, node: JsonSchema, parent: JsonSchema): string {
  const cells = [`\`${key}\``, typeOf(node), defaultOf(key, node, parent), node.description ?? ''];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeOf(node: JsonSchema): string {
  const isMapping = mappings(node).length > 0;
  if (node.items !== undefined) return isMapping ? 'list of mappings' : 'list';
  return isMapping ? 'mapping' : (node.title ?? '');
}

function defaultOf(key: string, node: JsonSchema, parent: JsonSchema): string {
  if (node['x-default'] !== undefined) return node['x-default'];
  if (parent.required?.includes(key)) return 'required';
  if (node.default === undefined) return 'none';
  if (mappings(node).length > 0) return 'below';
  return `\`${typeof node.default === 'string' ? node.default : JSON.stringify(node.default)}\``;
}

/** The mapping that a key holds, or holds a list of; several where it is one of them. */
function mappings(node: JsonSchema): readonly JsonSchema[] {
  const held = node.items ?? node;
  return (held.oneOf ?? [held]).filter(({ properties }) => properties !== undefined);
}
