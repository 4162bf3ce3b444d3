import { as, type OutputScope } from './output-scope.ts';
import { each, type Settings } from './settings.ts';
import { truth } from './values.ts';

/** The names that a plugin has for its TLS files. */
export interface TlsNames {
  readonly ca: readonly string[];
  readonly cert: readonly string[];
  readonly key: readonly string[];
  readonly passphrase: readonly string[];
  /** Keys that switch the check of the receiver's certificate: on or off. */
  readonly verify: readonly string[];
  readonly insecure: readonly string[];
}

const ALWAYS = "the receiver's certificate is always checked; name its authority in tls.ca_file";

export function tlsSettings(scope: OutputScope, names: TlsNames): Settings {
  return {
    ...each(names.ca, as(scope, 'tls.ca_file')),
    ...each(names.cert, as(scope, 'tls.cert_file')),
    ...each(names.key, as(scope, 'tls.key_file')),
    ...each(names.passphrase, ({ value }) =>
      value === '' ? undefined : { warn: 'the key must stand in its file without a passphrase' },
    ),
    ...each(names.verify, ({ value }) => (truth(value) === false || value === 'none' ? { warn: ALWAYS } : undefined)),
    ...each(names.insecure, ({ value }) => (truth(value) === true ? { warn: ALWAYS } : undefined)),
  };
}
