import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminView } from './admin-view.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const TEXT = 'text/plain; charset=utf-8';

/** The content type of the Prometheus text format, which scrapers ask for. */
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

const PATHS = 'Ask for /metrics, /status, /healthz or /readyz\n';

/** Answers one request; never throws. `view` is undefined while no agent runs. */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  view: AdminView | undefined,
): Promise<void> {
  const { status, type, body } = await answerTo(request, view).catch(() => ({
    status: 500,
    type: TEXT,
    body: 'This look at the agent failed; the log of the agent may say why\n',
  }));
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Scrapes come seconds apart: a connection that is kept costs a descriptor and saves nothing.
    connection: 'close',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

async function answerTo({ method, url }: IncomingMessage, view: AdminView | undefined): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: TEXT, body: 'Only GET and HEAD\n' };
  switch (url?.split('?', 1)[0]) {
    case '/healthz': {
      const reason = view?.dead();
      return { status: reason === undefined ? 200 : 503, type: TEXT, body: `${reason ?? 'ok'}\n` };
    }
    case '/readyz': {
      const reasons = (await view?.unready()) ?? ['the agent is starting'];
      return { status: reasons.length === 0 ? 200 : 503, type: TEXT, body: `${reasons.join('\n') || 'ok'}\n` };
    }
    case '/metrics':
      return view === undefined ? notYet() : { status: 200, type: PROMETHEUS, body: await view.metrics() };
    case '/status':
      return view === undefined
        ? notYet()
        : { status: 200, type: 'application/json', body: `${JSON.stringify(await view.status(), null, 2)}\n` };
    case '/':
      return { status: 200, type: TEXT, body: PATHS };
    default:
      return { status: 404, type: TEXT, body: PATHS };
  }
}

function notYet(): Answer {
  return { status: 503, type: TEXT, body: 'The agent is starting\n' };
}
