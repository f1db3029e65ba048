import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ModelSource } from '../api/types';
import { openFiles } from './source';
import { httpUrl, shownError, shownUrl } from './urls';

const SECRET = 's3cr3t';

describe('shownUrl', () => {
  it.each([
    ['https://host/a/b', 'https://host/a/b'],
    [`https://host/a?sig=${SECRET}#x`, 'https://host/a'],
    [`https://host/a#${SECRET}?x`, 'https://host/a'],
    [`https://user:${SECRET}@host/a@b`, 'https://host/a@b'],
    [`https://${SECRET}@@host`, 'https://host'],
    [`https:user:${SECRET}@host/`, 'https:host/'],
    [`https:\\\\user:${SECRET}@host\\a`, 'https:\\\\host\\a'],
    [`/a/b@c?${SECRET}\n${SECRET}`, '/a/b@c'],
    ['./a@b/c', './a@b/c'],
  ])('%j', (url, shown) => expect(shownUrl(url)).toBe(shown));
});

it('shownError cuts URLs in every text of the chain, and keeps no other properties', () => {
  const address = `https://u:${SECRET}@host/a?sig=(${SECRET})`;
  const inner = Object.assign(new TypeError(`Invalid URL ${address}`), { input: address, code: 'ERR_INVALID_URL' });
  const shown = shownError(new Error(`error sending request for url (${address})`, { cause: inner }));
  expect(shown.message).toBe('error sending request for url (https://host/a');
  expect(shown.cause).toMatchObject({ name: 'TypeError', message: 'Invalid URL https://host/a' });
  expect(inspect(shown, { depth: 9, showHidden: true })).not.toContain(SECRET);
  expect(shownError(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })).message).toBe('ECONNREFUSED');
  expect(shownError('odd').message).toBe('odd');
});

describe('an address that cannot be one', () => {
  it.each<[string, ModelSource, object, string]>([
    ['credentials in a URL', `https://user:${SECRET}@host/a`, {}, 'contains a user name or password'],
    ['only a user', `https://${SECRET}@host/a`, {}, 'contains a user name or password'],
    ['no page', `./a?sig=${SECRET}`, {}, 'The model source "./a" is not an absolute URL'],
    ['a host that is none', `https://[?sig=${SECRET}`, {}, 'The model source "https://[" is not an absolute URL'],
    ['no source', `hf://a/b?sig=${SECRET}`, {}, 'Not a model source: "hf://a/b"'],
    ['a long one', 'x y'.repeat(1000), {}, 'Not a model source: "x yx y'],
    ['credentials in hubUrl', 'org/name', { hubUrl: `https://u:${SECRET}@host` }, 'hubUrl "https://host" contains'],
    ['the Hub as a user', 'org/name', { hubUrl: 'https://huggingface.co@host' }, 'hubUrl "https://host" contains'],
    ['a query in hubUrl', 'org/name', { hubUrl: `https://host?${SECRET}` }, 'hubUrl must not have a query'],
    ['a fragment in hubUrl', 'org/name', { hubUrl: `https://host#${SECRET}` }, 'hubUrl must not have a query'],
    ['another scheme', 'org/name', { hubUrl: 'ftp://host' }, 'must begin with https:// or http://'],
    ['no scheme', 'org/name', { hubUrl: 'huggingface.co' }, 'hubUrl "huggingface.co" is not an absolute URL'],
    ['an empty hubUrl', 'org/name', { hubUrl: '' }, 'hubUrl "" is not an absolute URL'],
    ['an empty revision', 'org/name', { revision: '' }, 'revision "" is not the name of'],
    ['half a character', 'org/name', { revision: '\ud800' }, 'is not the name of a branch'],
  ])('is a TypeError without a secret: %s', (_, source, options, message) => {
    const open = () => openFiles(source, options);
    expect(open).toThrow(TypeError);
    expect(open).toThrow(message);
    let error: unknown;
    try {
      open();
    } catch (thrown) {
      error = thrown;
    }
    expect((error as Error).message.length).toBeLessThan(400);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
  });

  it('httpUrl resolves what is one', () => {
    expect(httpUrl('x', 'https://host/a?b').href).toBe('https://host/a?b');
  });
});

it.each([0, -1, Number.NaN, '60', null])('stallTimeout %j is a RangeError', (stallTimeout) => {
  const open = () => openFiles('org/name', { stallTimeout: stallTimeout as number });
  expect(open).toThrow(RangeError);
  expect(open).toThrow('stallTimeout must be milliseconds above 0, or Infinity');
  for (const right of [1, Infinity, undefined]) expect(openFiles('org/name', { stallTimeout: right })).toBeDefined();
});
