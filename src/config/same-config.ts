import { FileSecret, TextSecret } from './secret.ts';

/**
 * Whether two parts of checked configurations say the same. Secrets are compared by their text, or by the name of the
 * file that they stand in: what that holds is read again whenever it changes.
 */
export function isSameConfig(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (one instanceof TextSecret) return other instanceof TextSecret && one.reveal() === other.reveal();
  if (one instanceof FileSecret) return other instanceof FileSecret && one.file === other.file;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  const [keys, others] = [one, other].map((part) => Object.keys(part).sort());
  if (keys!.length !== others!.length || keys!.some((key, index) => key !== others![index])) return false;
  const [values, otherValues] = [one, other] as [Record<string, unknown>, Record<string, unknown>];
  return keys!.every((key) => isSameConfig(values[key], otherValues[key]));
}
