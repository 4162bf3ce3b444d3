import type { HttpResponse } from './transport.ts';

/** The status that nginx has for it, and shows as 400 unless it is told otherwise. */
const NGINX_STATUS = 497;

/** How far into an answer is looked. */
const LOOKED_AT = 1024;

/**
 * How servers begin that answer: nginx (ngx_http_special_response.c), Go (net/http server.go), Apache (ssl_engine_kernel.c).
 * Always from the first byte: an answer that quotes an event must not be taken for it.
 */
const ANSWERS = [
  /^<html>\s*<head><title>4\d\d The plain HTTP request was sent to HTTPS port<\/title>/,
  /^Client sent an HTTP request to an HTTPS server\./,
  /^<!DOCTYPE HTML[^>]*>\s*<html><head>\s*<title>400 Bad Request<\/title>\s*<\/head><body>\s*<h1>Bad Request<\/h1>\s*<p>Your browser sent a request that this server could not understand\.<br \/>\s*Reason: You're speaking plain HTTP to an SSL-enabled server port\./,
];

/** Whether this is the answer to a plain request on a port for TLS, which says nothing of the events in it. */
export function wantsTls({ status, body }: HttpResponse): boolean {
  if (status === NGINX_STATUS) return true;
  if (status !== 400) return false;
  const text = body.toString('latin1', 0, LOOKED_AT);
  return ANSWERS.some((answer) => answer.test(text));
}
