import type { MappingBuilder } from '../mapping-builder.ts';
import type { OutputScope } from '../output-scope.ts';
import type { Param } from '../section.ts';

/** The address of a receiver, as plugins give it in pieces. */
export interface Address {
  readonly scheme: string;
  readonly host: string;
  readonly port: string | undefined;
  readonly path?: string | undefined;
}

export function setUrl({ keys, section }: OutputScope, address: Address, from: Param | undefined): void {
  const { scheme, host, port, path = '' } = address;
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const behind = path === '' || path === '/' ? '' : `/${path.replace(/^\/+/, '')}`;
  keys.set('url', `${scheme}://${name}${port === undefined ? '' : `:${port}`}${behind}`, (from ?? section).place);
}

/** User and password, each from where it stands; both or neither. */
export function setBasicAuth(
  { keys, context }: OutputScope,
  user: Param | undefined,
  password: Param | undefined,
): void {
  if (user === undefined && password === undefined) return;
  if (user === undefined || password === undefined || password.value === '') {
    if ((user ?? password)!.value !== '')
      context.findings.warn((user ?? password)!, 'a user and a password belong together; neither is set');
    return;
  }
  keys.set('auth.basic.username', user.value, user.place).set('auth.basic.password', password.value, password.place);
}

/** A receiver without TLS has no use for its files, and `check` would refuse them. */
export function dropUnusedTls(keys: MappingBuilder): void {
  if (/^http:/i.test(String(keys.get('url')))) keys.remove('tls');
}

/** An index template is in lower case, and has no characters that no index has. */
export function setIndex({ keys, context }: OutputScope, template: string, param: Param): undefined {
  const lower = template.replaceAll(/\$\{[^}]*\}|%[A-Za-z]|[A-Z]/g, (found) =>
    found.length > 1 ? found : found.toLowerCase(),
  );
  if (lower !== template) context.findings.note(param, 'names of indexes are in lower case');
  keys.set('index', lower, param.place);
}
