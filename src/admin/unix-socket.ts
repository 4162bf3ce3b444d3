import { chmod, lstat, mkdtemp, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { AuditailError, errorCode } from '../errors.ts';

/** Its owner and its group may connect. */
const SOCKET_MODE = 0o660;

/** How long another process may take to take a connection before its socket counts as in use. */
const PROBE_MS = 1_000;

/** The file of a socket that was made. */
export interface SocketFile {
  readonly path: string;
  readonly inode: number;
}

/**
 * Lets the server listen on a unix socket. The socket is made in a private directory beside its place and moved there
 * when it has its mode: so nobody connects before, and the process's umask, which all its threads share, stays as it is.
 * A socket that nobody listens on any more is replaced; anything else at the place is left alone.
 *
 * @throws AuditailError `ADMIN_ADDRESS`, and system errors.
 */
export async function listenOnSocket(server: net.Server, place: string): Promise<SocketFile> {
  await refuseIfTaken(place);
  const directory = await mkdtemp(path.join(path.dirname(place), '.admin-'));
  const made = path.join(directory, 's');
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: made }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    await chmod(made, SOCKET_MODE);
    const { ino } = await stat(made);
    await rename(made, place);
    return { path: place, inode: ino };
  } catch (error) {
    await rm(made, { force: true });
    throw error;
  } finally {
    await rmdir(directory);
  }
}

/** Removes the socket's file, unless somebody else's stands there by now. */
export async function removeSocket({ path: place, inode }: SocketFile): Promise<void> {
  try {
    if ((await lstat(place)).ino === inode) await unlink(place);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

async function refuseIfTaken(place: string): Promise<void> {
  const found = await lstat(place).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new AuditailError('ADMIN_ADDRESS', `${place} is there and is no socket: it is left alone`, {
      hint: 'Move it away, or give admin.listen another path',
    });
  }
  if (await isAnswered(place)) {
    throw new AuditailError('ADMIN_ADDRESS', `another process listens on ${place}`, {
      hint: 'Give admin.listen another path, or end that process',
    });
  }
}

function isAnswered(place: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: place });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(PROBE_MS, () => end(true));
    socket.once('connect', () => end(true));
    // Whoever may not connect cannot tell that nobody listens.
    socket.once('error', (error) => end(!['ECONNREFUSED', 'ENOENT'].includes(errorCode(error) ?? '')));
  });
}
