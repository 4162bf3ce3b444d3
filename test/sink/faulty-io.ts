import { type FileIo, nodeFileIo } from '../../src/sink/file-io.ts';

/** Called before each file call; what it throws is the call's error. */
export type Before = (call: keyof FileIo, count: number) => void;

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** The real file system with `before` in front of each call. Writes are short: they take half of what they are given. */
export function faultyIo(before: Before): FileIo {
  let count = 0;
  return new Proxy(nodeFileIo, {
    get(target, name: keyof FileIo) {
      return async (...args: unknown[]) => {
        count += 1;
        before(name, count);
        if (name === 'write') {
          const [fd, buffer, position] = args as Parameters<FileIo['write']>;
          return target.write(fd, buffer.subarray(0, Math.ceil(buffer.length / 2)), position);
        }
        return (target[name] as (...args: unknown[]) => unknown)(...args);
      };
    },
  });
}
