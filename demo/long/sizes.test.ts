import { expect, it, vi } from 'vitest';
import type { TabState } from '../tab-state';
import { createSizes } from './sizes';

/** A select as far as it is used: what is set and is no option is ''. */
function fakeSelect() {
  let options: string[] = [];
  let value = '';
  return Object.assign(new EventTarget(), {
    replaceChildren: (...made: { value: string }[]) => {
      options = made.map((one) => one.value);
    },
    get selectedIndex() {
      return options.indexOf(value);
    },
    get value() {
      return value;
    },
    set value(next: string) {
      value = options.includes(next) ? next : '';
    },
  }) as unknown as HTMLSelectElement;
}

it('reads no other number of tokens than the one it shows, and follows the address', () => {
  vi.stubGlobal('document', { createElement: () => ({ append() {} }) });
  const listeners: (() => void)[] = [];
  let tokens: string | undefined = '12345'; // of a link that somebody wrote
  const state = { get: () => tokens, set() {}, onChange: (one: () => void) => listeners.push(one) };
  const heard = vi.fn();
  const select = fakeSelect();
  const sizes = createSizes(select, state as unknown as TabState, heard);
  sizes.offer(9000);
  expect([select.value, sizes.get()]).toEqual(['all', Number.POSITIVE_INFINITY]);

  sizes.set(1024); // by itself
  for (const listener of listeners) listener();
  expect([select.value, sizes.get(), heard.mock.calls.length]).toEqual(['1024', 1024, 0]);
  tokens = '2048';
  for (const listener of listeners) listener();
  expect([select.value, sizes.get(), heard.mock.calls.length]).toEqual(['2048', 2048, 1]);
  vi.unstubAllGlobals();
});
