import { spawnSync } from 'node:child_process';
import { accessSync, constants, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { CertificateFiles } from './certificates.ts';
import { cacheDirectory } from './programs.ts';
import { ServerProcess } from './server-process.ts';

/** Where Debian's package has the program. */
const UNPACKED = join('nginx', 'usr', 'sbin');

/** For the download of some hundred kilobytes: without a way to the mirror, apt tries for minutes. */
const FETCH_MS = 60_000;

const ACCESS_LOG = 'access.log';

/** A receiver that nginx stands before. */
export interface Upstream {
  /** `http://host:port`, without a path. */
  readonly url: string;
  /** Whether a client has to show a certificate of the authority. */
  readonly mutual: boolean;
}

/** A request that was answered. */
export interface Answered {
  /** Which upstream it was for, by its index. */
  readonly upstream: number;
  readonly status: number;
  /** Whether the client showed a certificate of the authority. */
  readonly certified: boolean;
}

/** Where the program is found: on the PATH, where Debian installs it, or in the cache. Undefined when there is none. */
export function findNginx(): string | undefined {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', join(cacheDirectory(), UNPACKED)]
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'nginx'))
    .find(isExecutable);
}

/**
 * Unpacks Debian's package into the cache, where nginx is not installed. Installing it would start a server on port 80.
 *
 * @throws Error where that fails: no Debian, no package lists, or libraries that the package needs are missing.
 */
export function fetchNginx(): void {
  const directory = join(cacheDirectory(), 'nginx');
  const program = join(cacheDirectory(), UNPACKED, 'nginx');
  mkdirSync(directory, { recursive: true });
  try {
    run('apt-get', ['download', '-qq', 'nginx'], directory);
    const [archive] = globSync('nginx_*.deb', { cwd: directory });
    run('dpkg', ['-x', archive!, '.'], directory);
    run(program, ['-v'], directory);
  } catch (error) {
    // Else the next run would take what does not work for a program.
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: FETCH_MS });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.trim()}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** nginx, which ends TLS for receivers that speak plain HTTP. */
export class Nginx {
  /** `https://127.0.0.1:port` for each upstream, in their order. */
  readonly urls: readonly string[];
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
    this.urls = server.ports.map((port) => `https://127.0.0.1:${port}`);
  }

  static async start(program: string, files: CertificateFiles, upstreams: readonly Upstream[]): Promise<Nginx> {
    const server = await ServerProcess.start({
      name: 'nginx',
      program,
      ports: upstreams.length,
      prepare: (directory, ports) => {
        const config = join(directory, 'nginx.conf');
        writeFileSync(config, configuration(directory, files, upstreams, ports));
        return {
          args: ['-p', directory, '-c', config, '-e', 'stderr'],
          // Refused with 400, as TLS is wanted: an answer all the same.
          ready: `http://127.0.0.1:${ports[0]}/`,
        };
      },
    });
    return new Nginx(server);
  }

  /** All requests that have been answered over TLS. */
  answered(): readonly Answered[] {
    const { directory, ports } = this.#server;
    return readFileSync(join(directory, ACCESS_LOG), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [port, status, verified] = line.split(' ');
        return { upstream: ports.indexOf(Number(port)), status: Number(status), certified: verified === 'SUCCESS' };
      });
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** One process, because workers outlive a master that is killed. Paths that it would otherwise have under /var are here. */
function configuration(
  directory: string,
  files: CertificateFiles,
  upstreams: readonly Upstream[],
  ports: readonly number[],
): string {
  const servers = upstreams.map(
    ({ url, mutual }, index) => `
  server {
    listen 127.0.0.1:${ports[index]} ssl;
    ${mutual ? `ssl_verify_client on; ssl_client_certificate ${files.ca};` : ''}
    location / { proxy_pass ${url}; }
  }`,
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  return `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log stderr;
events {}
http {
  # The look whether it is ready comes without TLS.
  map $ssl_protocol $is_tls { '' 0; default 1; }
  log_format answered '$server_port $status $ssl_client_verify';
  access_log ${directory}/${ACCESS_LOG} answered if=$is_tls;
  ${temporary.join('\n  ')}
  client_max_body_size 64m;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate ${files.serverCertificate};
  ssl_certificate_key ${files.serverKey};
  proxy_http_version 1.1;
  proxy_set_header Connection "";
${servers.join('')}
}
`;
}
