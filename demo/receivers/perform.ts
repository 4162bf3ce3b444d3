import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../bench/random.ts';
import type { ChaosAct } from './chaos-schedule.ts';
import type { Answer, ItemFault, ReceivedRequest, Store } from './store.ts';

/** Where a redirect points to. */
export const REDIRECT_PATH = '/somewhere-else';

const DROPS = 8;
const DROP_PAUSE_MS = 15;
const FLOOD = Buffer.alloc(64 * 1024, ' ');
const RETRY_AFTER_SECONDS = 1;

/** Answers that say nothing about the request, though they are of a kind with one that does. */
const GARBAGE = [
  '',
  '<html><body><h1>It works!</h1></body></html>',
  '\x00\x01\xff\xfe',
  'null',
  '[]',
  '{}',
  '{"took":1,"errors":false}',
  '{"took":1,"errors":false,"items":[]}',
  '{"took":1,"errors":false,"items":[null]}',
];

/** A request, and what there is to answer it with. */
export interface Exchange {
  readonly request: ReceivedRequest;
  readonly response: ServerResponse;
  readonly store: Store;
  readonly random: Random;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  /** Resets the connection. */
  reset(): void;
}

/** Does with a request as the schedule says. Resolves when that is done, or the connection gone. */
export async function perform(act: ChaosAct, exchange: Exchange): Promise<void> {
  const { store, request, random } = exchange;
  switch (act) {
    case 'accept':
      return respond(exchange, store.take(request));
    case 'reset-unread':
    case 'reset-before':
      return exchange.reset();
    case 'reset-after':
      store.take(request);
      return exchange.reset();
    case 'hang':
      if (random.chance(0.5)) store.take(request);
      return;
    case 'drip':
      return drip(exchange, store.take(request));
    case 'partial-busy':
      return respond(exchange, takeWithFaults(exchange, [429, 503]));
    case 'partial-rejected':
      return respond(exchange, takeWithFaults(exchange, [429, 503, 400]));
    case 'garbage':
      if (!mayLose(exchange)) store.take(request);
      return respond(exchange, { status: 200, contentType: 'application/json', body: random.pick(GARBAGE) });
    case 'cut':
      return cut(exchange, mayLose(exchange) ? undefined : store.take(request));
    case 'endless':
      return goOn(exchange, store.take(request), () => sleep(DROP_PAUSE_MS), ' ');
    case 'flood':
      return goOn(exchange, store.take(request), () => undefined, FLOOD);
    case 'status-302':
      return refuse(exchange, 302, { location: REDIRECT_PATH });
    case 'status-429-seconds':
      return refuse(exchange, 429, { 'retry-after': String(RETRY_AFTER_SECONDS) });
    case 'status-429-date':
      // A date has whole seconds: it is cut to them.
      return refuse(exchange, 429, { 'retry-after': new Date(Date.now() + RETRY_AFTER_SECONDS * 1500).toUTCString() });
    case 'status-408':
    case 'status-500':
    case 'status-502':
    case 'status-503':
      if (random.chance(0.25)) store.take(request);
      return refuse(exchange, Number(act.slice(7)));
    default:
      return refuse(exchange, Number(act.slice(7)));
  }
}

/**
 * Whether this answer of 200 comes without anything having been stored. Where the status alone confirms, that would be
 * a loss that no client could see.
 */
function mayLose({ store, random }: Exchange): boolean {
  return store.confirmsItems && random.chance(0.5);
}

function takeWithFaults({ store, request, random }: Exchange, faults: readonly ItemFault[]): Answer {
  if (!store.confirmsItems) throw new Error('a store that does not answer item by item cannot refuse a part');
  return store.take(request, () => (random.chance(0.3) ? random.pick(faults) : undefined));
}

function respond({ response }: Exchange, answer: Answer): void {
  writeHead(response, answer);
  response.end(answer.body);
}

function refuse({ response }: Exchange, status: number, headers: Record<string, string> = {}): void {
  const body = JSON.stringify({ error: { type: 'made_up', reason: 'as the schedule says' }, status });
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers })
    .end(body);
}

async function drip({ response, signal }: Exchange, answer: Answer): Promise<void> {
  writeHead(response, answer);
  response.flushHeaders();
  const body = Buffer.from(answer.body);
  const step = Math.ceil(body.length / DROPS);
  for (let at = 0; at < body.length && !signal.aborted; at += step) {
    await sleep(DROP_PAUSE_MS);
    response.write(body.subarray(at, at + step));
  }
  response.end();
}

/** Ends the connection within the body, or within the head where there is no body. */
function cut({ response, random }: Exchange, answer: Answer | undefined): void {
  const body = Buffer.from(answer?.body ?? '{"errors":false,"took":1,"items":[{"create":{"_index":"a","status":201}}');
  const socket = response.socket;
  if (body.length === 0) {
    socket?.write('HTTP/1.1 200 OK\r\ncontent-le');
  } else {
    // One byte more than there is, so that it is cut even where all of it is sent.
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length + 1 });
    response.write(body.subarray(0, 1 + random.below(body.length)));
  }
  socket?.destroySoon();
}

async function goOn(
  { response, signal }: Exchange,
  answer: Answer,
  pause: () => Promise<unknown> | undefined,
  more: Buffer | string,
): Promise<void> {
  // A status of 204 has no body that could go on.
  response.writeHead(answer.status === 204 ? 200 : answer.status, { 'content-type': answer.contentType });
  response.write(answer.body);
  while (!signal.aborted) {
    const isRoom = response.write(more);
    await pause();
    if (!isRoom) await drained(response, signal);
  }
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted || !response.writableNeedDrain) return resolve();
    response.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function writeHead(response: ServerResponse, { status, contentType, body }: Answer): void {
  // An answer without content must not tell a length either.
  const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { 'content-type': contentType, ...length });
}
