import { expect, it, vi } from 'vitest';
import type { TabState } from '../tab-state';
import { createSizes } from './sizes';

/** A select as far as it is used: what is set and is no option is ''. */
class FakeSelect extends EventTarget {
  #options: string[] = [];
  #value = '';
  replaceChildren(...made: { value: string }[]) {
    this.#options = made.map(({ value }) => value);
  }
  get selectedIndex() {
    return this.#options.indexOf(this.#value);
  }
  get value() {
    return this.#value;
  }
  set value(next: string) {
    this.#value = this.#options.includes(next) ? next : '';
  }
}

it('reads no other number of tokens than the one it shows, and follows the address', () => {
  vi.stubGlobal('document', { createElement: () => ({ append() {} }) });
  const listeners: (() => void)[] = [];
  let tokens: string | undefined = '12345'; // of a link that somebody wrote
  const state = { get: () => tokens, set() {}, onChange: (one: () => void) => listeners.push(one) };
  const heard = vi.fn();
  const select = new FakeSelect() as unknown as HTMLSelectElement;
  const sizes = createSizes(select, state as unknown as TabState, heard);
  sizes.offer(9000);
  expect([select.value, sizes.get()]).toEqual(['all', Number.POSITIVE_INFINITY]);

  sizes.set(1024); // by itself
  for (const listener of listeners) listener();
  expect([select.value, sizes.get(), heard.mock.calls.length]).toEqual(['1024', 1024, 0]);
  tokens = '2048';
  for (const listener of listeners) listener();
  expect([select.value, sizes.get(), heard.mock.calls.length]).toEqual(['2048', 2048, 1]);
  tokens = '16384'; // more than the text has
  for (const listener of listeners) listener();
  expect([select.value, sizes.get()]).toEqual(['all', 16_384]);

  // What was chosen by itself was for one text.
  sizes.set(512);
  expect([select.value, sizes.get()]).toEqual(['512', 512]);
  sizes.reset();
  expect([select.value, sizes.get()]).toEqual(['16384', 16_384]);
  vi.unstubAllGlobals();
});
