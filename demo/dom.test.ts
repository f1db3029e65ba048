import { expect, it } from 'vitest';
import { messageOf } from './dom';

it('says what went wrong in words, also what browsers say where the network is away', () => {
  expect(messageOf(new Error('The file is empty.'))).toBe('The file is empty.');
  expect(messageOf('Too long.')).toBe('Too long.');
  for (const message of [
    'Failed to fetch',
    'Failed to fetch dynamically imported module: https://a.example/assets/main-1.js',
    'NetworkError when attempting to fetch resource.',
    'error loading dynamically imported module: https://a.example/assets/main-1.js',
    'Load failed',
    'Importing a module script failed.',
  ]) {
    expect(messageOf(new TypeError(message))).toBe('The network does not answer. Try again when it does.');
  }
});
