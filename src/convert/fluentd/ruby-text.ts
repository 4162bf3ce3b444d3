const ENVIRONMENT = /^ENV\s*(?:\[\s*(['"])(\w+)\1\s*\]|\.fetch\(\s*(['"])(\w+)\3\s*\))$/;
const WITH_DEFAULT = /^ENV\s*(?:\[\s*(['"])(\w+)\1\s*\]\s*\|\||\.fetch\(\s*(['"])(\w+)\3\s*,)\s*(['"])(.*)\5\s*\)?$/;
const HOST_NAME = /^(?:Socket\.gethostname|`hostname(?:\s+-[sf])?`(?:\.(?:chomp|strip))?|hostname)$/;

/**
 * What stands for the Ruby code of `"#{…}"`: the environment as `${env:NAME}`, the name of the host as `${hostname}`. Any
 * other code stays as it is, and is complained of, as nothing here runs it.
 */
export function rubyText(code: string, complain: (message: string) => void): string {
  const trimmed = code.trim();
  const variable = ENVIRONMENT.exec(trimmed);
  if (variable !== null) return `\${env:${variable[2] ?? variable[4]}}`;
  if (HOST_NAME.test(trimmed)) return '${hostname}';
  const withDefault = WITH_DEFAULT.exec(trimmed);
  if (withDefault !== null) {
    const name = withDefault[2] ?? withDefault[4];
    complain(`the environment variable ${name} must be set here; Ruby took '${withDefault[6]}' where it was not`);
    return `\${env:${name}}`;
  }
  complain(`the Ruby code #{${code}} is not run here, and stands as text; write what it gives in its place`);
  return `#{${code}}`;
}
