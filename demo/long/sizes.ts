import { timeLeft } from '../../src/time-left';
import { element } from '../dom';
import { count, integer, plural, tenths } from '../numbers';
import type { TabState } from '../tab-state';

const option = (value: string, text: string) => element('option', { value }, text);
const firstOf = (size: number, time = '') => option(String(size), `the first ${count(size)}${time}`);

/** How much of a text may be chosen to be read. */
const SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768];

/** Such as `about 40 s`. */
export const about = (ms: number): string => `about ${timeLeft(Math.max(1, ms / 1000), [integer, tenths])}`;

/** The largest size whose time is within `patience`, both in milliseconds; the smallest if none is. */
export const sizeWithin = (patience: number, tokens: number, timeOf: (tokens: number) => number): number =>
  SIZES.filter((size) => size < tokens).findLast((size) => timeOf(size) <= patience) ?? SIZES[0];

/** The choice of how many of a text's first tokens are read, each with the time that it takes. */
export interface Sizes {
  /** What there is to choose from. `timeOf`: milliseconds that so many tokens take, if that is known. */
  offer(tokens: number, timeOf?: (tokens: number) => number): void;
  /** Tokens; Infinity: all. */
  get(): number;
  /** Chooses for the user, for this text. */
  set(tokens: number): void;
  /** The text is another, of unknown size: what the user has chosen counts again. */
  reset(): void;
}

/** `onChange`: the user has chosen. */
export function createSizes(select: HTMLSelectElement, state: TabState, onChange: () => void): Sizes {
  const ALL = 'all';
  /** What the address says, if there is such a choice. */
  const stated = () => {
    const tokens = state.get('tokens') ?? ALL;
    return SIZES.some((size) => String(size) === tokens) ? tokens : ALL;
  };
  /** Of a text that has not so many tokens all are read. */
  const show = () => {
    select.value = chosen;
    if (select.selectedIndex < 0) select.value = ALL;
  };
  let last = stated();
  let chosen = last;
  state.onChange(() => {
    if (stated() === last) return;
    last = chosen = stated();
    show();
    onChange();
  });
  select.addEventListener('change', () => {
    last = chosen = select.value;
    state.set('tokens', chosen === ALL ? undefined : chosen);
    onChange();
  });
  return {
    offer(tokens, timeOf) {
      const time = (n: number) => (timeOf ? `, ${about(timeOf(n))}` : '');
      select.replaceChildren(
        option(ALL, `all ${plural(tokens, 'token')}${time(tokens)}`),
        ...SIZES.filter((size) => size < tokens).map((size) => firstOf(size, time(size))),
      );
      show();
    },
    get: () => (chosen === ALL ? Number.POSITIVE_INFINITY : Number(chosen)),
    set(tokens) {
      chosen = String(tokens);
      show();
    },
    reset() {
      chosen = last;
      select.replaceChildren(option(ALL, 'all of it'), ...(last === ALL ? [] : [firstOf(Number(last))]));
      show();
    },
  };
}
