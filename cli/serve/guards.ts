/** Who may use the server: pages of which sites, by which names, with which key. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { RequestError } from './errors';

export interface Guards {
  /** The address that the server is bound to. */
  host: string;
  apiKey: string | undefined;
  /** Origins whose pages may read answers; '*' for all. */
  origins: string[];
}

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/.test(host);

/**
 * A page of attacker.example can have its name resolve to 127.0.0.1 and then reads a local server as its own site (DNS rebinding). But its
 * requests still name attacker.example in Host: on a loopback address only the names of that are accepted.
 */
export function checkHost({ headers: { host } }: IncomingMessage, guards: Guards): void {
  if (host === undefined || !isLoopback(guards.host)) return; // HTTP/1.0 has no Host; no browser speaks it
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
  if (isLoopback(name.replace(/^\[(.*)\]$/, '$1'))) return;
  throw new RequestError(
    'host',
    `This server is for its own machine: ask for localhost, 127.0.0.1 or [::1], not '${host.slice(0, 100)}'. A proxy has to send one of these as Host.`,
  );
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** In a time that does not depend on where the keys differ. */
export function checkKey({ headers }: IncomingMessage, { apiKey }: Guards): void {
  if (apiKey === undefined) return;
  const [, given = ''] = /^Bearer +(.*)$/i.exec(headers.authorization ?? '') ?? [];
  if (timingSafeEqual(digest(given), digest(apiKey))) return;
  throw new RequestError('key', 'A key is needed: Authorization: Bearer KEY, with the one that the server has.', null, {
    'www-authenticate': 'Bearer',
  });
}

/** What lets pages of the origins read answers. Without it browsers send no JSON to other origins either: they ask first. */
export function corsHeaders({ headers, method }: IncomingMessage, { origins }: Guards): Record<string, string> {
  const { origin } = headers;
  if (origins.length === 0) return {};
  const allowed = origins.includes('*') ? '*' : origins.find((one) => one === origin);
  if (allowed === undefined) return { vary: 'Origin' };
  const asked = headers['access-control-request-headers'];
  return {
    'access-control-allow-origin': allowed,
    vary: 'Origin',
    ...(method === 'OPTIONS' && {
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': asked ?? 'authorization, content-type',
      'access-control-max-age': '7200',
    }),
  };
}
